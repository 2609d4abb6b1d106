// What is split can be put together again: lengths, offsets, MF, options and checksums for many sizes.
import t from 'tap'
import { fragment, MINIMUM_MTU } from '../../../napt/translation/fragmentation.js'
import { read16 } from '../../../napt/wire/bytes.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import { udpFrame } from '../../../napt/wire/frame.js'
import { parseEndpoint, parseMac } from '../../../napt/wire/address.js'
import { alteredHeader, IP, TRANSPORT, withOptions, withTrailer } from '../frames.js'
import { piece, reassembled } from './fragment-frames.js'
import { Random } from '../random.js'

const MACS = { sourceMac: parseMac('02:00:00:00:00:03'), destinationMac: parseMac('02:00:00:00:00:01') }

function datagram(random: Random, payload: number): Uint8Array {
  const options = { ...MACS, identification: random.below(65536), timeToLive: 1 + random.below(255) }
  return udpFrame(parseEndpoint('192.168.1.3:2000'), parseEndpoint('130.74.23.6:1200'), random.bytes(payload), options)
}

/** Copies of the fragments; fails when one is written outside the scratch space it may use. */
function split(frame: Uint8Array, mtu: number): Uint8Array[] {
  const margin = 5, bytes = new Uint8Array(frame.length + 2 * margin).fill(0xa5), before = frame.slice()
  bytes.set(frame, margin)
  const scratch = new Uint8Array(mtu + IP), frames: Uint8Array[] = []
  fragment(bytes, margin, margin + frame.length, mtu, scratch, each => frames.push(each.slice()))
  if (!Buffer.from(before).equals(bytes.subarray(margin, margin + frame.length))) throw new Error('the packet itself was changed')
  return frames
}

/** As `withOptions`, with these bytes. */
const withOptionBytes = (frame: Uint8Array, ...options: number[]): Uint8Array => {
  const longer = withOptions(frame, options.length)
  longer.set(options, TRANSPORT)
  ipv4.writeChecksum(longer, IP)
  return longer
}
const optionsOf = (frame: Uint8Array): number[] => [...frame.subarray(TRANSPORT, IP + ipv4.headerLength(frame, IP))]

t.test('what was split can be put together', async t => {
  const random = new Random(791)
  const wrong: string[] = []
  let pieces = 0
  for (let run = 0; run < 3000; run++) {
    const mtu = random.pick([68, 69, 75, 76, 296, 576, 1280, 1499, 1500, 68 + random.below(1500)])
    let frame = datagram(random, random.pick([0, 1, 40, random.below(400), random.below(4000), mtu - 28, mtu - 27]))
    if (random.oneIn(3)) frame = withOptions(frame, 4 * random.below(11))
    const frames = split(random.oneIn(4) ? withTrailer(frame, random.below(30)) : frame, mtu)
    pieces += frames.length
    const { header, payload } = reassembled(frames), begin = IP + ipv4.headerLength(frame, IP)
    const fine = Buffer.from(payload).equals(frame.subarray(begin)) &&
      frames.every(each => each.length - IP <= mtu && each.length === IP + ipv4.totalLength(each, IP) && Buffer.from(each.subarray(0, IP)).equals(frame.subarray(0, IP))) &&
      frames.every(each => [1, 4, 5, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19].every(at => each[IP + at] === frame[IP + at])) &&
      header.length === begin - IP &&
      frames.every((each, i) => ipv4.moreFragments(each, IP) === i < frames.length - 1) &&
      (frames.length > 1) === (frame.length - IP > mtu)
    if (!fine) wrong.push(`run ${run}: ${frame.length - IP} bytes over ${mtu}`)
  }
  t.same(wrong, [])
  t.ok(pieces > 10_000, `${pieces} fragments`)
})

t.test('all but the last are as long as fits, a multiple of 8', async t => {
  const frames = split(datagram(new Random(1), 3000), 1500)
  t.same(frames.map(frame => [frame.length - IP, ipv4.fragmentOffset(frame, IP), ipv4.moreFragments(frame, IP)]), [[1500, 0, true], [1500, 1480, true], [68, 2960, false]])
  t.same(split(datagram(new Random(1), 3000), 1499).map(frame => frame.length - IP), [1492, 1492, 84])
})

t.test('a fragment is split again, and MF of the last one stays as it was', async t => {
  const whole = datagram(new Random(2), 3000), middle = piece(whole, 1480, 2960), last = piece(whole, 2960)
  t.same(split(middle, 576).map(frame => [ipv4.fragmentOffset(frame, IP), ipv4.moreFragments(frame, IP)]), [[1480, true], [2032, true], [2584, true]])
  const all = [...split(piece(whole, 0, 1480), 576), ...split(middle, 296), ...split(last, 576)]
  t.same(reassembled(all).payload, Buffer.from(whole.subarray(TRANSPORT)))
  t.same(split(middle, 1500), [middle], 'what fits stays as it is')
})

t.test('only copied options are in later fragments (RFC 791 §3.1)', async t => {
  const recordRoute = [7, 7, 4, 0, 0, 0, 0], securityLike = [0x82, 5, 1, 2, 3], alert = [0x94, 4, 0, 0]
  const frame = withOptionBytes(datagram(new Random(3), 200), ...recordRoute, 1, ...securityLike, ...alert, 1, 1, 0)
  const frames = split(frame, 100)
  t.same(optionsOf(frames[0]), optionsOf(frame))
  for (const later of frames.slice(1)) t.same(optionsOf(later), [...securityLike, ...alert, 0, 0, 0])
  t.same(frames.map(({ length }) => length - IP), [40 + 56, 32 + 64, 32 + 64, 32 + 24], 'and their room is used')
  t.same(reassembled(frames).payload, Buffer.from(frame.subarray(TRANSPORT + 20)))

  t.same(split(withOptionBytes(datagram(new Random(4), 150), 7, 3, 4, 1), 80).slice(1).map(optionsOf), [[], []], 'none is left')
  t.same(split(withOptionBytes(datagram(new Random(4), 150), 0, 0x94, 4, 0), 80).slice(1).map(optionsOf), [[], []], 'behind the end is none')
})

t.test('broken options end nothing but the list', async t => {
  const alert = [0x94, 4, 0, 0]
  for (const broken of [[0x82, 0, 0, 0], [0x82, 1, 0, 0], [0x82, 9, 0, 0], [1, 1, 1, 0x82]]) {
    const frame = withOptionBytes(datagram(new Random(5), 200), ...alert, ...broken), frames = split(frame, 100)
    t.same(frames.slice(1).map(optionsOf), frames.slice(1).map(() => alert), broken.join())
    t.same(reassembled(frames).payload, Buffer.from(frame.subarray(TRANSPORT + 8)))
  }
})

t.test('64 KiB over the smallest cable', async t => {
  const frame = datagram(new Random(6), 65_507), frames = split(frame, MINIMUM_MTU)
  t.equal(frames.length, Math.ceil(65_515 / 48))
  t.same(reassembled(frames).payload, Buffer.from(frame.subarray(TRANSPORT)))
  t.equal(read16(frames[1], IP + 4), ipv4.identification(frame, IP))
  t.throws(() => split(frame, MINIMUM_MTU - 1), { message: /MTU of 67 bytes.*at least 68/ })
})

t.test('the reserved flag is passed on', async t => {
  for (const each of split(alteredHeader(datagram(new Random(7), 200), 6, 0x80, 0), 100)) t.equal(each[IP + 6] & 0x80, 0x80)
})
