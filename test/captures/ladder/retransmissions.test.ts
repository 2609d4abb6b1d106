// What TCP sends again is no second step of a ladder: a detail, unless it brings something new; and only what really was there
// before counts as sent again.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CaptureStream, ladderOfStream, PcapngWriter, type LadderPacket } from '../../../captures/index.js'
import { Retransmissions } from '../../../captures/ladder/retransmissions.js'
import { decode } from '../../../captures/decode/decode.js'
import { parseEndpoint } from '../../../napt/wire/address.js'
import { tcpFrame } from '../../../napt/wire/frame.js'
import { FLAG } from '../../../napt/wire/tcp.js'
import { message, testDecoder } from '../support.js'

const [CALLER, CALLED] = ['192.168.1.11:1500', '130.74.23.6:1201'].map(parseEndpoint)
const REQUEST = message(217, [['equipment ID', '2133'], ['password', 'open sesame']]), NOTE = message(205, [['connection request notification flag', 'set']])
const DATA = FLAG.ack | FLAG.psh

/** A segment of the caller's, and what the routers of two cables change of it. */
interface Segment { readonly at: number, readonly flags: number, readonly payload?: Uint8Array, readonly drop?: boolean, readonly isBack?: boolean }
const ISN = 0xffff_fff0 // so that the numbers wrap

/** A capture of both sides of 104a, as its recorder writes it; gives the lines of its ladder, details in brackets. */
async function linesOf(t: Test, segments: readonly Segment[]): Promise<{ lines: string[], packets: LadderPacket[] }> {
  const file = join(t.testdir(), 'sent-again.pcapng'), writer = new PcapngWriter(file)
  const [lan, wan] = ['104a-lan', '104a-wan'].map(name => writer.interface({ name, description: '', linkType: 1, snapLength: 0 }))
  segments.forEach(({ at, flags, payload = new Uint8Array(0), drop = false, isBack = false }, index) => {
    const sequence = (isBack ? 5000 : ISN + at) >>> 0, packetId = BigInt(index + 1), time = 1_700_000_000_000_000_000n + BigInt(index) * 1_000_000n
    const [inside, outside] = [CALLER, parseEndpoint('4.17.168.2:7000')].map(end =>
      tcpFrame(isBack ? CALLED : end, isBack ? end : CALLED, flags, payload, { sequence, acknowledgement: (flags & FLAG.ack) === 0 ? 0 : 5001, identification: index }))
    const comment = drop ? '104a  lan → wan  dropped  tcp …\n  reason   no-memory: made up' : ''
    const [received, sent] = isBack ? [[wan, outside], [lan, inside]] as const : [[lan, inside], [wan, outside]] as const
    writer.packet(received[1], { interfaceId: received[0], time, packetId, direction: 'inbound', comment })
    if (!drop) writer.packet(sent[1], { interfaceId: sent[0], time: time + 1000n, packetId, direction: 'outbound' })
  })
  writer.close()
  const { entries } = await ladderOfStream(await CaptureStream.open(file), { title: 'made up', decoder: testDecoder, detail: true })
  const packets = entries.filter((entry): entry is LadderPacket => entry.kind === 'packet')
  return { packets, lines: packets.map(({ title, isDetail, drop, size }) => (isDetail ? `(${title})` : title) + (size === 0 ? '' : `, ${size}`) + (drop === undefined ? '' : ', dropped')) }
}

const START: Segment = { at: 0, flags: FLAG.syn }, ANSWER: Segment = { at: 0, flags: FLAG.syn | FLAG.ack, isBack: true }

t.test('a segment that comes again is a detail that says of what it is one', async t => {
  const close: Segment = { at: 1 + REQUEST.length + 3, flags: FLAG.fin | FLAG.ack }
  const request: Segment = { at: 1, flags: DATA, payload: REQUEST }, data: Segment = { at: 1 + REQUEST.length, flags: DATA, payload: Uint8Array.of(9, 9, 9) }
  const { lines, packets } = await linesOf(t, [START, START, ANSWER, { at: 1, flags: FLAG.ack }, { at: 1, flags: FLAG.ack }, request, request, data, request, data, close, close])
  t.same(lines, [
    '211 TCP connection start', '(TCP retransmission of 211 TCP connection start)', '(TCP handshake of 211)',
    '(TCP acknowledgement of 211)', '(TCP acknowledgement of 211)',
    '217 connection request', '(TCP retransmission of 217 connection request)', 'data of 211, 3', '(TCP retransmission of 217 connection request)', '(TCP retransmission of data of 211), 3',
    'TCP close of 211', '(TCP retransmission of TCP close of 211)',
  ])
  t.same(packets.map(packet => packet.hops.length), packets.map(() => 2), 'each is drawn on its whole way')
})

t.test('a retransmission with more bytes than the original is called by what is new', async t => {
  const request: Segment = { at: 1, flags: DATA, payload: REQUEST }
  const more = (payload: readonly Uint8Array[], flags = DATA): Segment => ({ at: 1, flags, payload: Buffer.concat(payload) })
  const { lines, packets } = await linesOf(t, [START, request, more([REQUEST, NOTE]), more([REQUEST, NOTE, Uint8Array.of(9, 9)]), more([REQUEST, NOTE, Uint8Array.of(9, 9)], DATA | FLAG.fin)])
  t.same(lines, ['211 TCP connection start', '217 connection request', '205 connection request notification', 'data of 211, 2', 'TCP close of 211'])
  t.same(packets.map(({ beside = [] }) => beside), [
    [], [], [`${REQUEST.length} bytes sent again`], [`${REQUEST.length + NOTE.length} bytes sent again`], [`${REQUEST.length + NOTE.length + 2} bytes sent again`],
  ])
})

t.test('a message of which only the beginning was there before is there now', async t => {
  const { lines } = await linesOf(t, [START, { at: 1, flags: DATA, payload: REQUEST.subarray(0, 9) }, { at: 1, flags: DATA, payload: REQUEST }])
  t.same(lines, ['211 TCP connection start', 'data of 211, 9', '217 connection request'])
})

t.test('what a router dropped was not there: the next one is the step', async t => {
  const request: Segment = { at: 1, flags: DATA, payload: REQUEST }
  t.same((await linesOf(t, [START, { ...request, drop: true }, request, request])).lines,
    ['211 TCP connection start', '217 connection request, dropped', '217 connection request', '(TCP retransmission of 217 connection request)'])
})

t.test('a new connection between the same ends, and one whose beginning is not in the capture', async t => {
  const request: Segment = { at: 1, flags: DATA, payload: REQUEST }
  t.same((await linesOf(t, [request, request, { at: 1000, flags: FLAG.syn }, { at: 1001, flags: DATA, payload: REQUEST }])).lines,
    ['217 connection request', '(TCP retransmission of 217 connection request)', '211 TCP connection start', '217 connection request'])
})

t.test('holes: what fills one is new, whatever came before it', t => {
  const seen = new Retransmissions()
  const see = (sequence: number, length: number, where = 'a'): [isAgain: boolean, bytes: number] => {
    const { isAgain, bytes } = seen.see(where, decode(tcpFrame(CALLER, CALLED, DATA, new Uint8Array(length), { sequence, acknowledgement: 1 })).transport)
    return [isAgain, bytes]
  }
  t.same(see(100, 10), [false, 0])
  t.same(see(130, 10), [false, 0])
  t.same(see(115, 5), [false, 0], 'between')
  t.same(see(110, 5), [false, 0], 'what fills the first hole')
  t.same(see(118, 4), [false, 2], 'the end of one')
  t.same(see(128, 4), [false, 0], 'into the next one')
  t.same(see(100, 22), [true, 22], 'across what was a hole')
  t.same(see(90, 20), [false, 0], 'before the first')
  t.same(see(90, 0), [false, 0], 'an acknowledgement')
  t.same(see(100, 10, 'b'), [false, 0], 'elsewhere')
  t.same(seen.see('a', decode(new Uint8Array(60)).transport), { isAgain: false, bytes: 0 })
  t.end()
})

t.test('more holes, and more connections, than are remembered', t => {
  const seen = new Retransmissions()
  const see = (sequence: number, port = 1500): boolean => seen.see('a', decode(tcpFrame(parseEndpoint(`192.168.1.11:${port}`), CALLED, DATA, new Uint8Array(10), { sequence, acknowledgement: 1 })).transport).isAgain
  for (let at = 0; at < 40; at++) t.notOk(see(at * 100))
  t.ok(see(3900), 'the newest runs are known')
  t.notOk(see(3850), 'and their holes')
  t.ok(see(50), 'the oldest hole counts as filled')
  for (let port = 2000; port < 2000 + 8192; port++) see(0, port)
  t.notOk(see(3900), 'a connection of long ago is as a new one')
  t.end()
})
