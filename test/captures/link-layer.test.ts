// Frames without Ethernet, or with tags in it: the same packet is found behind every header, and what cannot be decoded is said so.
import t from 'tap'
import { decode, LINK_TYPE, summarize } from '../../captures/index.js'
import { udp } from '../napt/frames.js'
import { randomBytes } from './support.js'

const FRAME = udp('192.168.1.3:2000', '130.74.23.6:1200', 'hello')
const PACKET = FRAME.subarray(14)
const behind = (...header: number[]): Uint8Array => Uint8Array.from([...header, ...PACKET])
const MACS = [...FRAME.subarray(0, 12)]
const SENDER = [2, 0, 0, 0, 0, 7, 0, 0]

/** Each with the link type, and the layers in front of IPv4 with what their fields say. */
const HEADERS: readonly (readonly [what: string, linkType: number, frame: Uint8Array, layers: readonly (readonly [string, readonly (string | number)[]])[]])[] = [
  ['a VLAN tag', 1, behind(...MACS, 0x81, 0, 0x60, 42, 8, 0), [['ethernet', [...macsOf(FRAME), 0x8100]], ['vlan', [3, 0, 42, 0x0800]]]],
  ['two VLAN tags', 1, behind(...MACS, 0x88, 0xa8, 0x10, 1, 0x81, 0, 0x0f, 0xff, 8, 0), [['ethernet', [...macsOf(FRAME), 0x88a8]], ['vlan', [0, 1, 1, 0x8100]], ['vlan', [0, 0, 4095, 0x0800]]]],
  ['Linux cooked', LINK_TYPE.cooked, behind(0, 4, 0, 1, 0, 6, ...SENDER, 8, 0), [['cooked', [4, 1, '02:00:00:00:00:07', 0x0800]]]],
  ['Linux cooked without an address', LINK_TYPE.cooked, behind(0, 4, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0), [['cooked', [4, 0xfffe, 0x0800]]]],
  ['Linux cooked, version 2', LINK_TYPE.cooked2, behind(8, 0, 0, 0, 0, 0, 0, 5, 0, 1, 4, 6, ...SENDER), [['cooked', [0x0800, 5, 1, 4, '02:00:00:00:00:07']]]],
  ['loopback of a little-endian machine', LINK_TYPE.null, behind(2, 0, 0, 0), [['loopback', [2]]]],
  ['loopback of a big-endian machine', LINK_TYPE.null, behind(0, 0, 0, 2), [['loopback', [2]]]],
  ['loopback of OpenBSD', LINK_TYPE.loop, behind(0, 0, 0, 2), [['loopback', [2]]]],
  ...[LINK_TYPE.raw, LINK_TYPE.rawDlt12, LINK_TYPE.rawDlt14, LINK_TYPE.ipv4].map(type => [`raw IP, ${type}`, type, PACKET, []] as const),
]

function macsOf(frame: Uint8Array): string[] {
  return [0, 6].map(at => [...frame.subarray(at, at + 6)].map(byte => byte.toString(16).padStart(2, '0')).join(':'))
}

for (const [what, linkType, frame, layers] of HEADERS) {
  t.test(what, async t => {
    const decoded = decode(frame, linkType), at = frame.length - PACKET.length
    t.same(decoded.layers.slice(0, -2).map(layer => [layer.protocol, layer.fields.map(field => field.value)]), layers)
    t.same(decoded.layers.slice(-2).map(layer => [layer.protocol, layer.offset, layer.checksum]), [['ipv4', at, 'right'], ['udp', at + 20, 'right']])
    t.equal(summarize(decoded), 'udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes')
    t.match(decode(frame.subarray(0, at + 28), linkType), { defect: 'the IPv4 packet is truncated', transport: { source: { port: 2000 } } }, 'cut behind its ports')
    t.match(decode(frame.subarray(0, Math.max(0, at - 1)), linkType), { transport: null, defect: at === 0 ? /truncated|empty/ : /header|VLAN tag/ }, 'cut in its header')
  })
}

t.test('what is not decoded', async t => {
  const ipv6 = Uint8Array.from([0x60, 0, 0, 0, 0, 0, 58, 255, 0xfe, 0x80, ...Array<number>(13).fill(0), 1, 0xff, 2, ...Array<number>(13).fill(0), 2])
  const words = 'ipv6 fe80::1 → ff02::2, next header 58'
  const cases: [Uint8Array, number, string][] = [
    [ipv6, LINK_TYPE.raw, words], [ipv6, LINK_TYPE.ipv6, words], [Uint8Array.from([...MACS, 0x86, 0xdd, ...ipv6]), 1, words], [Uint8Array.from([30, 0, 0, 0, ...ipv6]), LINK_TYPE.null, words],
    [ipv6.subarray(0, 39), LINK_TYPE.raw, 'frame'],
    [Uint8Array.of(7, 0, 0, 0, 1), LINK_TYPE.null, 'loopback family 7'],
    [Uint8Array.from([...MACS, 0x88, 0xcc, 1]), 1, 'ethernet type 0x88cc'],
    [behind(...MACS, 0x81, 0, 0, 1, 0x88, 0xcc), 1, 'vlan type 0x88cc'],
    [Uint8Array.of(0x50), LINK_TYPE.raw, 'frame, the packet is of IP version 5'],
    [new Uint8Array(0), LINK_TYPE.raw, 'frame, the frame is empty'],
    [FRAME, 105, 'frame, link type 105 is not decoded'],
  ]
  for (const [frame, linkType, wanted] of cases) t.equal(summarize(decode(frame, linkType)), wanted)
})

t.test('a packet that the capture cut off is decoded as far as it goes, without verdicts on what is not there', async t => {
  for (let length = 14; length < FRAME.length; length++) {
    const { layers, transport, defect } = decode(FRAME.subarray(0, length))
    t.equal(defect, 'the IPv4 packet is truncated')
    t.same(layers.map(layer => [layer.protocol, layer.checksum]), [['ethernet', undefined], ['ipv4', 'right'], ['udp', undefined]].slice(0, length < 34 ? 1 : length < 42 ? 2 : 3))
    t.equal(transport?.payload.length, length < 42 ? undefined : length - 42)
  }
})

t.test('arbitrary bytes of any link type: never a crash, never a field outside the frame', async t => {
  const random = randomBytes('link layer'), types = [...Object.values(LINK_TYPE), 9]
  for (let round = 0; round < 3000; round++) {
    const linkType = types[round % types.length], good = HEADERS[round % HEADERS.length][2]
    const frame = Uint8Array.from(good.subarray(0, random.next().value % (good.length + 1)))
    for (let change = 0; change < round % 4 && frame.length > 0; change++) frame[random.next().value % frame.length] = random.next().value
    const decoded = decode(frame, linkType)
    const inside = decoded.layers.flatMap(layer => [layer, ...layer.fields]).every(each => each.offset >= 0 && each.offset + each.length <= frame.length)
    if (!inside || summarize(decoded) === '') t.fail(`link type ${linkType}: ${Buffer.from(frame).toString('hex')}`)
  }
  t.pass('3000 frames')
})
