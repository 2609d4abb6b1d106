// The packets of the stream over datagrams: there and back, and nothing else is taken for one.
import t from 'tap'
import { MAX_DATAGRAM, MAX_RANGES, decodePacket, encodePacket } from '../../../endpoints/message/datagram.js'
import { decode, encode } from '../../../endpoints/message/index.js'
import { seeded } from '../bench.js'
import type { DatagramPacket } from '../../../endpoints/message/datagram.js'

const id = '0011223344556677', FAR = 2 ** 47
const PACKETS: readonly DatagramPacket[] = [
  { kind: 'open', id, token: 'ffeeddccbbaa9988', limit: 0 },
  { kind: 'accept', id, ownId: 'ffeeddccbbaa9988', limit: FAR },
  { kind: 'data', id, number: 1, position: 0, bytes: new Uint8Array(0) },
  { kind: 'data', id, number: FAR, position: FAR, bytes: new Uint8Array(1174).fill(7) },
  { kind: 'end', id, number: 2, position: 5, bytes: Uint8Array.of(1, 2, 3) },
  { kind: 'acknowledgement', id, largest: 9, position: FAR, limit: FAR + 9, ranges: [] },
  { kind: 'acknowledgement', id, largest: 9, position: 5, limit: 9, ranges: Array.from({ length: MAX_RANGES }, (_, i) => ({ from: 6 + 4 * i, to: 8 + 4 * i })) },
  { kind: 'reset', id },
]

t.test('there and back', async t => {
  for (const packet of PACKETS) {
    const bytes = encodePacket(packet)
    t.ok(bytes.length <= MAX_DATAGRAM)
    const read = decodePacket(bytes)
    t.same(read && { ...read, ...('bytes' in read ? { bytes: [...read.bytes] } : {}) }, { ...packet, ...('bytes' in packet ? { bytes: [...packet.bytes] } : {}) })
  }
})

t.test('every bit counts, and every length', async t => {
  for (const packet of PACKETS) {
    const bytes = encodePacket(packet)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7)
      if (decodePacket(bytes) !== null) t.fail(`${packet.kind}: bit ${bit}`)
      bytes[bit >> 3] ^= 1 << (bit & 7)
    }
    for (let length = 0; length < bytes.length; length++) if (decodePacket(bytes.subarray(0, length)) !== null) t.fail(`${packet.kind} cut to ${length}`)
    t.not(decodePacket(bytes), null, packet.kind)
  }
})

t.test('ranges that overlap, touch or are empty are no acknowledgement', async t => {
  for (const ranges of [[{ from: 5, to: 8 }], [{ from: 6, to: 6 }], [{ from: 6, to: 8 }, { from: 8, to: 9 }], [{ from: 20, to: 30 }, { from: 10, to: 12 }]]) {
    t.equal(decodePacket(encodePacket({ kind: 'acknowledgement', id, largest: 1, position: 5, limit: 9, ranges })), null)
  }
})

t.test('messages are no packets, packets no messages, and noise is neither', async t => {
  t.equal(decodePacket(encode({ name: 'registration', equipmentId: '2133' })), null)
  for (const packet of PACKETS) t.match(decode(encodePacket(packet)), { kind: 'version' })
  const random = seeded(3)
  for (let i = 0; i < 20_000; i++) {
    const noise = Uint8Array.from({ length: random() % 60 }, () => random() >>> 24)
    noise.set([0x81, 1 + i % 6].slice(0, noise.length))
    if (decodePacket(noise) !== null) t.fail('noise was taken for a packet')
  }
})
