// When looking for frames once more is worth it, and that it never is for a router with nothing to do.
import t from 'tap'
import { LONGEST_SPIN, Spin } from '../../napt/spin.js'

const SHORT = LONGEST_SPIN / 5, LONG = LONGEST_SPIN * 4

t.test('after the first frames, and after a long wait, nobody looks on', async t => {
  const spin = new Spin()
  spin.woken(1000)
  spin.worked(1000)
  t.notOk(spin.goesOn(1000), 'nothing is known of this traffic yet')
  spin.woken(1000 + LONG)
  spin.worked(1000 + LONG)
  t.notOk(spin.goesOn(1000 + LONG), 'a frame now and then')
})

t.test('in a dialogue it looks on, for as long as the next frame may take, and stops with the dialogue', async t => {
  const spin = new Spin()
  spin.worked(1000)
  spin.woken(1000 + SHORT)
  spin.worked(1000 + SHORT)
  t.ok(spin.goesOn(1000 + SHORT))
  t.ok(spin.goesOn(1000 + SHORT + LONGEST_SPIN / 2))
  t.notOk(spin.goesOn(1000 + SHORT + LONGEST_SPIN * 1.01), 'and no longer')
  spin.woken(1000 + LONG)
  spin.worked(1000 + LONG)
  t.notOk(spin.goesOn(1000 + LONG), 'one long wait, and the thread sleeps at once')
})
