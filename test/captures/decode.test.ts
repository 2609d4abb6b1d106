// Frames as data: fields with their places, verdicts on checksums, one-line summaries, and no input that breaks it.
import t from 'tap'
import { parseEndpoint, parseIpv4, parseMac } from '../../napt/wire/address.js'
import * as arp from '../../napt/wire/arp.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../napt/wire/frame.js'
import { FLAG } from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import { decode, summarize } from '../../captures/index.js'
import { message, randomBytes, testDecoder } from './support.js'

const A = parseEndpoint('192.168.1.3:2000'), B = parseEndpoint('130.74.23.6:1200')
const registration = udpFrame(A, B, message(201, [['equipment ID', '2133']]))

t.test('every field reads back from the bytes that it names', async t => {
  const { layers, transport, defect } = decode(registration)
  t.equal(defect, null)
  t.same(layers.map(layer => [layer.protocol, layer.offset, layer.length, layer.checksum]),
    [['ethernet', 0, 14, undefined], ['ipv4', 14, 20, 'right'], ['udp', 34, 8, 'right']])
  const view = new DataView(registration.buffer)
  const ports = layers[2].fields.filter(field => field.length === 2)
  t.same(ports.map(field => field.value), ports.map(field => view.getUint16(field.offset)))
  t.match(transport, { protocol: 'udp', source: A, destination: B, payloadOffset: 42 })
})

t.test('summaries', async t => {
  const sender = { mac: parseMac('02:00:00:00:00:01'), address: A.address }
  const request = new Uint8Array(60)
  arp.writeFrame(request, 0, 'request', sender, { mac: sender.mac, address: B.address })
  const echo = icmpFrame(A.address, B.address, { type: 8, identifier: 1 })
  const fragment = Uint8Array.from(registration)
  fragment[20] = 0x20
  const wrong = Uint8Array.from(registration)
  wrong[45] ^= 1
  const partial = Uint8Array.from(registration)
  const sum = udp.partialChecksum(partial, 14, 34)
  partial.set([sum >> 8, sum & 255], 40)
  const cases: [Uint8Array, string | RegExp][] = [
    [registration, 'udp 192.168.1.3:2000 → 130.74.23.6:1200, 201 equipment registration'],
    [tcpFrame(A, B, FLAG.syn), 'tcp 192.168.1.3:2000 → 130.74.23.6:1200, SYN'],
    [tcpFrame(A, B, FLAG.ack, Uint8Array.of(1, 2)), 'tcp 192.168.1.3:2000 → 130.74.23.6:1200, ACK, 2 bytes'],
    [echo, 'icmp 192.168.1.3 → 130.74.23.6, echo request'],
    [request, 'arp who has 130.74.23.6? tell 192.168.1.3'],
    [fragment, /^ipv4 192\.168\.1\.3 → 130\.74\.23\.6, protocol 17, fragment at 0, ipv4 checksum wrong/],
    [wrong, /udp checksum wrong$/],
    [partial, /udp checksum partial$/],
    [registration.subarray(0, 30), 'ethernet type 0x0800, the IPv4 packet is truncated'],
    [registration.subarray(0, 5), 'frame, the frame has 5 bytes, an Ethernet header 14'],
  ]
  for (const [frame, wanted] of cases) {
    const summary = summarize(decode(frame), testDecoder)
    if (typeof wanted === 'string') t.equal(summary, wanted)
    else t.match(summary, wanted)
  }
})

t.test('a missing UDP checksum is no wrong one', async t => {
  const frame = Uint8Array.from(registration)
  frame.set([0, 0], 40)
  t.equal(decode(frame).layers.at(-1)?.checksum, 'absent')
})

t.test('the packet that an ICMP error is about', async t => {
  const error = icmpFrame(B.address, A.address, { type: 3, code: 3 }, registration.subarray(14, 42))
  const quoted = decode(error).layers.at(-1)
  t.equal(quoted?.protocol, 'quoted')
  t.same(quoted?.fields.map(field => field.value), [17, '192.168.1.3', '130.74.23.6', 2000, 1200])
  t.equal(summarize(decode(icmpFrame(parseIpv4('1.2.3.4'), A.address, { type: 11 }, Uint8Array.of(1)))), 'icmp 1.2.3.4 → 192.168.1.3, time exceeded')
})

t.test('truncated at every byte, changed at every byte, and arbitrary: never a crash, never a field outside the frame', async t => {
  const random = randomBytes('decode')
  const frames: Uint8Array[] = []
  const bases = [registration, tcpFrame(A, B, FLAG.syn), icmpFrame(B.address, A.address, { type: 3 }, registration.subarray(14))]
  for (const base of bases) {
    for (let at = 0; at <= base.length; at++) frames.push(base.subarray(0, at))
    for (let at = 12; at < base.length; at++) {
      const changed = Uint8Array.from(base)
      changed[at] = random.next().value
      frames.push(changed)
    }
  }
  for (let round = 0; round < 2000; round++) {
    const noise = Uint8Array.from({ length: random.next().value % 90 }, () => random.next().value)
    if (round % 2 === 0) noise.set(registration.subarray(0, Math.min(noise.length, round % 40)))
    frames.push(noise)
  }
  for (const frame of frames) {
    const decoded = decode(frame)
    const inside = decoded.layers.flatMap(layer => [layer, ...layer.fields]).every(each => each.offset >= 0 && each.offset + each.length <= frame.length)
    if (!inside || summarize(decoded, testDecoder) === '') t.fail(Buffer.from(frame).toString('hex'))
  }
  t.pass(`${frames.length} frames`)
})
