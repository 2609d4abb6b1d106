// Digests of flows: what they tell apart of data that is no message.
import t from 'tap'
import { beginningOf, DigestBuilder } from '../../captures/canonical/flow-digest.js'
import type { Entry } from '../../captures/canonical/entries.js'

const HEADER = { DF: 1, TTL: 64 }

function digest(packets: readonly (readonly [way: Entry['way'], header: Entry['header'], payload: Uint8Array])[]): string {
  const builder = new DigestBuilder()
  for (const [way, header, payload] of packets) builder.addData(beginningOf(way, header), payload)
  return builder.finish().blake2b
}

t.test('every byte, the length, the way, the header and the order count', async t => {
  const payload = Uint8Array.from({ length: 700 }, (_, i) => i), second = Uint8Array.of(9, 8, 7)
  const wanted = digest([['→', HEADER, payload], ['←', HEADER, second]])
  t.equal(digest([['→', { ...HEADER }, payload.slice()], ['←', HEADER, second]]), wanted, 'equal where all is')
  for (const at of [0, 350, 699]) t.not(digest([['→', HEADER, payload.map((byte, i) => i === at ? byte ^ 1 : byte)], ['←', HEADER, second]]), wanted, `byte ${at}`)
  t.not(digest([['→', HEADER, payload.subarray(0, 699)], ['←', HEADER, second]]), wanted, 'length')
  t.not(digest([['←', HEADER, payload], ['←', HEADER, second]]), wanted, 'way')
  t.not(digest([['→', { ...HEADER, TTL: 63 }, payload], ['←', HEADER, second]]), wanted, 'header')
  t.not(digest([['←', HEADER, second], ['→', HEADER, payload]]), wanted, 'order')
  t.not(digest([['→', HEADER, new Uint8Array([...payload, 9])], ['←', HEADER, second.subarray(1)]]), wanted, 'where one ends')
})
