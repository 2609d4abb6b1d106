// MSS clamping: what it changes, what it leaves, and that checksums are as right as before.
import t from 'tap'
import { clampMaximumSegment } from '../../../napt/translation/maximum-segment.js'
import { read16, write16 } from '../../../napt/wire/bytes.js'
import * as tcpWire from '../../../napt/wire/tcp.js'
import { altered, IP, tcp, TRANSPORT, udp, withOptions } from '../frames.js'
import { parsed } from './fragment-frames.js'
import { Random } from '../random.js'

const OPTIONS = TRANSPORT + tcpWire.MINIMUM_HEADER

/** A segment with these option bytes, a multiple of 4, and a right checksum. */
function segment(flags: string, options: number[], payload = ''): Uint8Array {
  const frame = tcp('192.168.1.3:2000', '130.74.23.6:80', flags, String.fromCharCode(...options) + payload)
  frame[TRANSPORT + 12] = (5 + options.length / 4) << 4
  tcpWire.writeChecksum(frame, IP, TRANSPORT, frame.length)
  return frame
}
const mss = (value: number): number[] => [2, 4, value >>> 8, value & 255]

function clamped(frame: Uint8Array, limit: number, partial = false): Uint8Array {
  const copy = frame.slice()
  clampMaximumSegment(parsed(copy, partial), limit)
  return copy
}
const holds = (frame: Uint8Array): boolean => tcpWire.checksumHolds(frame, IP, TRANSPORT, frame.length)

t.test('it is lowered, in SYN and SYN ACK, and the checksum holds', async t => {
  for (const flags of ['SYN', 'SYN ACK']) {
    const after = clamped(segment(flags, mss(1460), 'abc'), 1400)
    t.same(after, segment(flags, mss(1400), 'abc'), flags)
    t.ok(holds(after))
  }
})

t.test('it is lowered wherever it stands, at odd places too', async t => {
  for (let nothing = 0; nothing <= 4; nothing++) {
    const options = [...Array<number>(nothing).fill(1), ...mss(1460), 3, 3, 7, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]
    while (options.length % 4 !== 0) options.push(0)
    const after = clamped(segment('SYN', options), 536)
    t.equal(read16(after, OPTIONS + nothing + 2), 536)
    t.ok(holds(after), `after ${nothing} bytes`)
  }
})

t.test('any value at any place, against a checksum made afresh', async t => {
  const random = new Random(1191)
  const wrong: string[] = []
  let lowered = 0
  for (let run = 0; run < 5000; run++) {
    const nothing = random.below(9), before = random.below(65536), limit = 1 + random.below(65535)
    const list = (value: number): number[] => [...Array<number>(nothing).fill(1), ...mss(value), ...Array<number>(12 - nothing).fill(0)]
    const payload = String.fromCharCode(...random.bytes(random.below(5)))
    const frame = segment('SYN', list(before), payload), wanted = segment('SYN', list(Math.min(before, limit)), payload)
    if (before > limit) lowered++
    if (!Buffer.from(clamped(frame, limit)).equals(wanted)) wrong.push(`${before} to ${limit} at ${nothing}`)
  }
  t.same(wrong, [])
  t.ok(lowered > 1000 && lowered < 4000)
})

t.test('a wrong checksum stays as wrong as it was', async t => {
  const wrong = altered(segment('SYN', mss(1460)), TRANSPORT + 16, 1, 2)
  t.notOk(holds(clamped(wrong, 1400)))
})

t.test('a partial checksum covers no option and stays', async t => {
  const frame = segment('SYN', mss(1460)), after = clamped(frame, 1400, true)
  t.equal(read16(after, OPTIONS + 2), 1400)
  t.equal(tcpWire.checksum(after, TRANSPORT), tcpWire.checksum(frame, TRANSPORT))
})

t.test('what is left as it is', async t => {
  const cases: [string, Uint8Array, number][] = [
    ['a lower one', segment('SYN', mss(536)), 1400],
    ['the same', segment('SYN', mss(1400)), 1400],
    ['a limit of 0', segment('SYN', mss(1460)), 0],
    ['no SYN', segment('ACK', mss(1460)), 1400],
    ['no option', segment('SYN', []), 1400],
    ['other options', segment('SYN', [3, 3, 7, 1]), 1400],
    ['behind the end of the list', segment('SYN', [0, 1, 1, 1, ...mss(1460)]), 1400],
    ['an option of length 0', segment('SYN', [...mss(1460), 8, 0, 0, 0]), 1400],
    ['an option of length 1', segment('SYN', [...mss(1460), 8, 1, 0, 0]), 1400],
    ['an option beyond the header', segment('SYN', [...mss(1460), 8, 5, 0, 0]), 1400],
    ['a kind without its length', segment('SYN', [...mss(1460), 1, 1, 1, 8]), 1400],
    ['its length 3', segment('SYN', [2, 3, 5, 1]), 1],
    ['its length 6', segment('SYN', [2, 6, 5, 0, 0, 0, 1, 1]), 1],
    ['cut by the header\'s end', segment('SYN', [1, 1, 2, 4], '\xff\xff'), 1400],
    ['UDP', udp('192.168.1.3:2000', '130.74.23.6:80', 'x'.repeat(40)), 1],
  ]
  for (const [what, frame, limit] of cases) t.same(clamped(frame, limit), frame, what)
})

t.test('IPv4 options in front, and two of the option', async t => {
  const frame = withOptions(segment('SYN', [...mss(1460), 1, ...mss(1461), 1, 1, 1]), 8), after = clamped(frame, 1200)
  t.same([read16(after, OPTIONS + 8 + 2), read16(after, OPTIONS + 8 + 7)], [1200, 1200])
  t.ok(tcpWire.checksumHolds(after, IP, TRANSPORT + 8, after.length))
})

t.test('bytes at random in the options change nothing but a 16-bit word and the checksum', async t => {
  const random = new Random(6691)
  const wrong: string[] = []
  let changed = 0
  for (let run = 0; run < 20_000; run++) {
    const options = [...random.bytes(4 * random.below(11))].map(byte => random.oneIn(2) ? random.below(5) : byte)
    const frame = segment('SYN', options, 'data'), after = clamped(frame, 300)
    if (!holds(after)) wrong.push(options.join())
    if (!Buffer.from(after).equals(frame)) changed++
    write16(frame, TRANSPORT + 16, 0)
    write16(after, TRANSPORT + 16, 0)
    if (!Buffer.from(after.subarray(0, OPTIONS)).equals(frame.subarray(0, OPTIONS)) || !Buffer.from(after.subarray(-4)).equals(frame.subarray(-4))) wrong.push(options.join())
  }
  t.same(wrong, [])
  t.ok(changed > 50, `${changed} were changed`)
})
