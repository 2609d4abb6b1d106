// Packet filters: what each word selects, errors with their place, and tshark's opinion of the same selections.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { FilterError, parseFilter, type FilterOptions } from '../../captures/filter/index.js'
import { PacketLook } from '../../captures/show/packet-look.js'
import { PacketNamer } from '../../captures/show/naming.js'
import { StreamKeys } from '../../captures/show/stream-keys.js'
import { CaptureStream } from '../../captures/index.js'
import { DROP_REASON_NAMES } from '../../napt/verdict.js'
import { parseEndpoint, parseMac } from '../../napt/wire/address.js'
import * as arp from '../../napt/wire/arp.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../napt/wire/frame.js'
import { FLAG } from '../../napt/wire/tcp.js'
import { needsTshark } from '../prerequisites.js'
import { COMMENT, FORWARDED, goldenPackets, NAMES, writeFile, type Seen } from './capture-files.js'

const A = parseEndpoint('192.168.1.3:2000'), B = parseEndpoint('130.74.23.6:1200'), C = parseEndpoint('10.0.0.9:443')

/** The numbers of the packets that a filter selects. */
async function selected(file: string, text: string, options: FilterOptions = {}): Promise<number[]> {
  const stream = await CaptureStream.open(file), look = new PacketLook(new PacketNamer(new StreamKeys(stream), stream.names))
  const { matches } = parseFilter(text, { names: stream.names, ...options }), numbers: number[] = []
  for await (const batch of stream.batches()) {
    for (const packet of batch) {
      look.load(packet)
      if (matches(look)) numbers.push(packet.number)
    }
  }
  return numbers
}

function packet(interfaceName: string, bytes: Uint8Array, at: number): Seen {
  const described = { id: 0, name: interfaceName, description: '', linkType: 1, snapLength: 0 }
  return { interface: interfaceName, packet: { number: at, time: 1_700_000_000_000_000_000n + BigInt(at), bytes, originalLength: bytes.length, interface: described, direction: null, packetId: null, comment: '' } }
}

function whoHas(): Uint8Array {
  const frame = new Uint8Array(42), mac = parseMac('02:00:00:00:00:01')
  arp.writeFrame(frame, 0, 'request', { mac, address: A.address }, { mac, address: B.address })
  return frame
}

const fragment = (later: boolean): Uint8Array => {
  const frame = udpFrame(A, B, new Uint8Array(40))
  frame.set(later ? [0, 5] : [0x20, 0], 20)
  return frame
}

t.test('each word selects what it says', async t => {
  const file = join(t.testdir(), 'words.pcapng')
  const packets = [
    packet('104b-lan', udpFrame(A, B, Uint8Array.of(1, 201, 0, 7, 1, 0, 4, 50, 49, 51, 51)), 1),
    packet('104b-wan', udpFrame(B, A, new Uint8Array(200)), 2),
    packet('101', tcpFrame(A, C, FLAG.syn), 3),
    packet('101', tcpFrame(C, A, FLAG.syn | FLAG.ack), 4),
    packet('101', icmpFrame(C.address, B.address, { type: 8 }), 5),
    packet('101', whoHas(), 6),
    packet('101', fragment(false), 7),
    packet('101', fragment(true), 8),
    packet('101', new Uint8Array(3), 9),
  ]
  writeFile(file, packets, { names: NAMES, comment: at => at === 1 ? COMMENT : at === 2 ? FORWARDED : at === 3 ? COMMENT.replace('filtered', 'no-mapping') : '' })
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['udp', [1, 2, 7, 8]], ['tcp', [3, 4]], ['icmp', [5]], ['arp', [6]], ['ip', [1, 2, 3, 4, 5, 7, 8]],
    ['host 192.168.1.3', [1, 2, 3, 4, 6, 7, 8]], ['src host 192.168.1.3', [1, 3, 6, 7, 8]], ['dst 192.168.1.3', [2, 4]], ['host 103', [1, 2, 3, 4, 6, 7, 8]], ['dst host 101', [1, 5, 6, 7, 8]], ['host nobody', []],
    ['port 1200', [1, 2, 7]], ['dst port 1200', [1, 7]], ['src port 1200 or 443', [2, 4]], ['udp port 443', []], ['tcp port 443', [3, 4]], ['portrange 440-450', [3, 4]], ['tcp src port 443 or 2000', [3, 4]],
    ['net 10.0.0.0/8', [3, 4, 5]], ['src net 10.0.0.0/8', [4, 5]], ['net 0.0.0.0/0', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['not ip', [6, 9]], ['! ip', [6, 9]], ['not udp and not tcp', [5, 6, 9]], ['not (udp or tcp)', [5, 6, 9]], ['udp && host 103 || arp', [1, 2, 6, 7, 8]], ['arp or udp and port 1200', [1, 2, 7]], ['arp or (udp and port 1200)', [1, 2, 6, 7]],
    ['flags syn', [3, 4]], ['flags syn,ack', [4]], ['flags SYN and not flags ack', [3]],
    ['length > 100', [2]], ['length >= 242', [2]], ['length<54', [1, 5, 6, 9].filter(number => packets[number - 1].packet.bytes.length < 54)], ['less 42', [5, 6, 9].filter(number => packets[number - 1].packet.bytes.length <= 42)], ['greater 242', [2]], ['length != 3', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['interface 101', [3, 4, 5, 6, 7, 8, 9]], ['interface 104b-lan or 104b-wan', [1, 2]], ['router 104b', [1, 2, 3, 4]], ['router 104a', []],
    ['dropped', [2, 4]], ['dropped filtered', [2]], ['dropped filtered or no-mapping', [2, 4]], ['forwarded', [3]], ['answered or held', []], ['not dropped and tcp', [3]],
    ['packet 201', [1]], ['packet 217 or 201', [1]], ['packet 205', []], ['inbound or outbound', []],
  ]
  for (const [text, wanted] of cases) t.same(await selected(file, text), wanted, text)
  t.same(parseFilter('host 103 and not src 101 or 10.0.0.9').hosts, ['103', '101'])
})

t.test('the numbers of a run', async t => {
  const file = join(t.testdir(), 'run.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen)
  for (const number of ['201', '205', '208', '211', '217', '221', '226']) t.ok((await selected(file, `packet ${number}`)).length >= 2, number)
  t.same(await selected(file, 'packet 212'), [], 'without encryption there is no 212')
})

t.test('errors say where, and what could stand there', async t => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['udp prot 1200', 4, /'prot' cannot stand here; expected and, or, or the end/],
    ['hots 1.2.3.4', 0, /'hots' cannot stand here; expected host, net, port/],
    ['host', 4, /it ends here; expected an address/],
    ['host 1.2.3', 5, /'1\.2\.3' cannot stand here; expected an address/],
    ['host and', 5, /expected an address/],
    ['host 1.2.3.4 and', 16, /it ends here; expected host/],
    ['port 70000', 5, /expected a port \(0 to 65535\)/],
    ['port http', 5, /expected a port/],
    ['portrange 10', 10, /expected two ports/],
    ['portrange 10-x', 13, /expected a port/],
    ['net 10.0.0.0', 4, /expected a network, such as 10\.0\.0\.0\/8/],
    ['net 10.0.0.0/33', 4, /expected a network/],
    ['(udp or tcp', 11, /it ends here; expected and, or, or the \) of the parenthesis at character 1/],
    ['udp)', 3, /'\)' cannot stand here; expected and, or, or the end/],
    ['()', 1, /'\)' cannot stand here/],
    ['udp & tcp', 4, /'&' means nothing here/],
    ['length 100', 7, /expected one of > >= < <=/],
    ['length > big', 9, /expected a length in bytes/],
    ['flags synack', 6, /expected flags of TCP, with commas between them: fin, syn, rst, psh, ack, urg/],
    ['packet udp', 7, /expected a number of the documents/],
    ['dropped filterd', 8, /expected and, or, the end, or a reason: truncated, /],
    ['interface', 9, /it ends here; expected the name of an interface/],
    ['', 0, /it ends here; expected host/],
    ['udp 5', 4, /expected and, or, or the end/],
    ['udp or 5', 7, /expected host/],
  ]
  for (const [text, at, message] of cases) {
    try {
      parseFilter(text, { reasons: DROP_REASON_NAMES })
      t.fail(`'${text}' was taken`)
    } catch (error) {
      if (!(error instanceof FilterError)) throw error
      t.equal(error.at, at, text)
      t.match(error.message, message)
      t.equal(error.message.split('\n')[2], `${' '.repeat(at + 2)}^`)
    }
  }
  t.throws(() => parseFilter('('.repeat(5000)), /goes on for 5000 characters/)
  t.throws(() => parseFilter('('.repeat(4000)), FilterError, 'deep')
  t.throws(() => parseFilter('udp \u001b[31m'), { message: /'\\u001b\[31m' cannot.*\n {2}udp \?\[31m/ })
})

t.test('tshark selects the same packets', { ...needsTshark, timeout: 120_000 }, async t => {
  const file = join(t.testdir(), 'run.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen, { more: [icmpFrame(C.address, A.address, { type: 3, code: 3 }), whoHas(), tcpFrame(A, B, FLAG.rst)] })
  const cases: readonly (readonly [string, string])[] = [
    ['host 192.168.1.3', 'ip.addr==192.168.1.3 or arp.src.proto_ipv4==192.168.1.3 or arp.dst.proto_ipv4==192.168.1.3'],
    ['ip and src host 202.204.16.13 or icmp', 'ip.src==202.204.16.13 or icmp'],
    ['dst port 1200', 'udp.dstport==1200 or tcp.dstport==1200'],
    ['tcp port 1201 or 1300', 'tcp.port==1201 or tcp.port==1300'],
    ['ip and net 192.168.0.0/16 and not tcp', 'ip.addr==192.168.0.0/16 and not tcp'],
    ['portrange 2000-3000 and udp', 'udp.srcport in {2000..3000} or udp.dstport in {2000..3000}'],
    ['flags syn and not flags ack or (flags fin,ack)', '(tcp.flags.syn==1 and tcp.flags.ack==0) or (tcp.flags.fin==1 and tcp.flags.ack==1)'],
    ['length > 100 and interface 104a-lan', 'frame.len>100 and frame.interface_name=="104a-lan"'],
    ['(udp or arp) and not interface 101', '(udp or arp) and not frame.interface_name=="101"'],
  ]
  for (const [ours, theirs] of cases) {
    const frames = execFileSync('tshark', ['-n', '-r', file, '-Y', theirs, '-T', 'fields', '-e', 'frame.number'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n').filter(Boolean).map(Number)
    t.same(await selected(file, ours), frames, ours)
    t.ok(frames.length > 0, 'not an empty selection')
  }
})
