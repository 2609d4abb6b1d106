// A router that records while real packets cross it: each is in the file as it came in, and as it went out.
import t from 'tap'
import { recordingTurn } from '../../bench/recording.js'
import { needsNamespaces } from '../prerequisites.js'

t.test('as many pairs in the file as packets were forwarded', needsNamespaces, async t => {
  const { forwarded, kept, lost, missed, file } = await recordingTurn(2000, 1, true)
  t.ok(forwarded > 0)
  t.equal(kept, forwarded)
  t.equal(lost, missed, 'what is missing never came as far as the router')
  t.ok(file > forwarded * 2 * 60)
})
