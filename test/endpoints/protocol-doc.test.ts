// docs/protocol.md says what the code does: its tables are compared with the code's.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { ENTRY_LIFETIME, REGISTRATION_INTERVAL, TIMEOUTS } from '../../endpoints/index.js'
import { DEFINITIONS, EXTRA_COUNT, EXTRA_ROOM, FIELDS, REASONS, VERSION } from '../../endpoints/message/index.js'

/** The cells of each row of the table whose head begins with `head`. */
async function table(head: string): Promise<string[][]> {
  const lines = (await readFile('docs/protocol.md', 'utf8')).split('\n')
  const from = lines.findIndex(line => line.startsWith(head))
  const rest = lines.slice(from + 2)
  return rest.slice(0, rest.findIndex(line => !line.startsWith('|'))).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
}

t.test('messages', async t => {
  const rows = DEFINITIONS.map(({ type, document, title, over, fields }) =>
    [String(type), document ?? '–', title, over, fields.map(({ key, optional }) => FIELDS[key].title + (optional ? '?' : '')).join(', ')])
  t.same(await table('| type |'), rows)
})

t.test('fields', async t => {
  const rows = Object.values(FIELDS).map(({ id, title, min, max }) => [String(id), title, min === max ? String(min) : `${min}–${max}`])
  t.same((await table('| id |')).map(row => row.slice(0, 3)), rows)
})

t.test('reasons', async t => {
  const rows = Object.entries(REASONS).map(([name, { code, sentence, advice }]) => [String(code), `\`${name}\``, sentence, advice])
  t.same(await table('| code |'), rows)
})

t.test('time-outs and limits', async t => {
  const rows = Object.entries(TIMEOUTS).map(([name, ms]) => [name, String(ms)])
  t.same((await table('| name |')).map(([name, , ms]) => [name, ms]), rows)
  const text = await readFile('docs/protocol.md', 'utf8')
  t.match(text, `The version is ${VERSION}.`)
  t.match(text, `up to ${EXTRA_COUNT}\n  fields (${EXTRA_ROOM} bytes together)`)
  t.match(text, `after ${ENTRY_LIFETIME / 1000} s without a registration: three intervals of 103's ${REGISTRATION_INTERVAL / 1000} s`)
})
