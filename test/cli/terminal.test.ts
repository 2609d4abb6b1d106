// A screen that is drawn in place: as much as there is room for, and nothing left of what stood there before.
import t from 'tap'
import { Screen, StatusLine } from '../../cli/terminal.js'

const CLEAR = '\x1b[2J\x1b[H', HOME = '\x1b[H', TO_LINE_END = '\x1b[K\n', TO_SCREEN_END = '\x1b[J'

t.test('drawn in place', async t => {
  const written: string[] = []
  const screen = new Screen({ columns: 10, rows: 4, write: text => written.push(text) })
  screen.draw(['one', 'a line that is too long'])
  screen.draw(['two'])
  screen.draw(['1', '2', '3', '4', '5'])
  screen.draw(['1', '2', '3'])
  t.same(written, [
    `${CLEAR}one${TO_LINE_END}a line th…${TO_LINE_END}${TO_SCREEN_END}`,
    `${HOME}two${TO_LINE_END}${TO_SCREEN_END}`,
    `${HOME}1${TO_LINE_END}2${TO_LINE_END}… and 3 m…${TO_LINE_END}${TO_SCREEN_END}`,
    `${HOME}1${TO_LINE_END}2${TO_LINE_END}3${TO_LINE_END}${TO_SCREEN_END}`,
  ])
})

t.test('on a terminal that does not know its size', async t => {
  const written: string[] = []
  new Screen({ columns: 0, rows: 0, write: text => written.push(text) }).draw(['one', 'two'])
  t.same(written, [`${CLEAR}one${TO_LINE_END}two${TO_LINE_END}${TO_SCREEN_END}`])
})

t.test('how far something is: one line, and only on a terminal', async t => {
  const written: string[] = [], write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0
  const line = new StatusLine({ isTTY: true, columns: 10, write })
  line.show('12 of 34')
  line.show('a line that is too long')
  line.clear()
  t.same(written, ['\r12 of 34\x1b[K', '\ra line t…\x1b[K', '\r\x1b[K'])
  new StatusLine({ isTTY: false, columns: 0, write }).show('12 of 34')
  t.equal(written.length, 3)
})
