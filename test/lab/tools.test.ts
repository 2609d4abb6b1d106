// What people look at a network with works behind every preset: traceroute, ping with and without fragments, iperf3. The WAN
// carries less than the LAN, as behind a tunnel, so path MTU discovery has to work too.
import t from 'tap'
import { once } from 'node:events'
import { discovery, openBench, type AttachedBench } from '../../lab/index.js'
import { PRESET_NAMES } from '../../napt/behaviour/presets.js'
import { parseBehaviour } from '../../napt/behaviour/read-behaviour.js'
import { needsNetworkTools } from '../prerequisites.js'
import { run } from './helpers.js'
import { GATEWAY, SERVER, sideBySide } from './side-by-side.js'

const WAN_MTU = 1280, LAN_MTU = 1500
/** IPv4 and ICMP headers, which ping's -s leaves out. */
const PING_HEADERS = 28
/** Presets that are judged at the same time: enough to wait for lost packets together, and not so many that the processor loses some. */
const AT_A_TIME = 5

/** Each hop as traceroute prints it: its number, and its address or `*`. */
async function hops(bench: AttachedBench, host: string, ...options: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(bench, host, 'traceroute', '-n', '-q', '1', '-m', '4', '-w', '3', ...options, SERVER)
  const [title, ...lines] = stdout.trimEnd().split('\n')
  if (!title.startsWith(`traceroute to ${SERVER}`)) throw new Error(`traceroute on ${host}: ${stdout}${stderr}`)
  return lines.map(line => line.trim().split(/\s+/).slice(0, 2).join(' '))
}

/** One echo request in an IP packet of `bytes`: how many answers came, and what errors were shown. */
async function ping(bench: AttachedBench, host: string, bytes: number, discovery: 'do' | 'dont'): Promise<{ received: number, errors: string[] }> {
  const { stdout, stderr } = await run(bench, host, 'ping', '-n', '-c', '1', '-W', '2', '-M', discovery, '-s', String(bytes - PING_HEADERS), SERVER)
  const received = /^1 packets transmitted, (\d) received/m.exec(stdout)
  if (!received) throw new Error(`ping on ${host}: ${stdout}${stderr}`)
  return { received: Number(received[1]), errors: `${stdout}\n${stderr}`.split('\n').filter(line => /^From |^ping: /.test(line)) }
}

interface IperfTest { readonly server: string, readonly client: string, readonly address: string, readonly port: number, readonly options?: readonly string[] }

/** What iperf3 reports as JSON. Packets are counted for UDP only. */
interface IperfReport {
  readonly error?: string
  readonly end: { readonly sum_received: { readonly bytes: number }, readonly sum?: { readonly lost_packets: number, readonly packets: number } }
}

/** Starts a server for one test, and when it listens the test. @returns what the receiving end counted */
async function iperf(bench: AttachedBench, { server, client, address, port, options = [] }: IperfTest): Promise<{ bytes: number, packets: number, lost: number }> {
  const listener = bench.spawn(server, 'iperf3', ['--server', '--one-off', '--forceflush', '--port', String(port)])
  await Promise.race([once(listener.stdout, 'data'), once(listener, 'close')]) // if it ended, the client says why it cannot connect
  listener.stdout.resume()
  const { stdout, stderr } = await run(bench, client, 'iperf3', '--json', '--client', address, '--port', String(port), '--bytes', '256K', '--connect-timeout', '3000', ...options)
  listener.kill('SIGKILL')
  const { error, end } = JSON.parse(stdout.startsWith('{') ? stdout : JSON.stringify({ error: stdout + stderr })) as IperfReport
  if (error !== undefined) throw new Error(`iperf3 on ${client} ${options.join(' ')}: ${error}`)
  return { bytes: end.sum_received.bytes, packets: end.sum?.packets ?? 0, lost: end.sum?.lost_packets ?? 0 }
}

t.test('through every preset', needsNetworkTools, async t => {
  await using bench = await openBench(sideBySide(PRESET_NAMES, { mtu: WAN_MTU }))
  t.jobs = AT_A_TIME
  await Promise.all(PRESET_NAMES.map((name, index) => t.test(name, { buffered: true }, async t => {
    const host = `inside${index + 1}`, port = 5201 + 2 * index
    const path = [`1 ${GATEWAY}`, `2 ${SERVER}`]
    t.same(await hops(bench, host), path, 'traceroute over UDP: the router, then the server')
    t.same(await hops(bench, host, '-I'), path, 'traceroute over ICMP: the same')

    const inFragments = { received: parseBehaviour(name).fragments === 'drop' ? 0 : 1, errors: [] }
    t.same(await ping(bench, host, LAN_MTU, 'dont'), inFragments, 'the router fragments what may be')
    t.same(await ping(bench, host, WAN_MTU, 'do'), { received: 1, errors: [] }, 'what just fits the WAN passes whole')
    t.same(await ping(bench, host, WAN_MTU + 1, 'do'), { received: 0, errors: [`From ${GATEWAY} icmp_seq=1 Frag needed and DF set (mtu = ${WAN_MTU})`] },
      'the router says what the WAN carries')
    t.same(await ping(bench, host, WAN_MTU + 1, 'do'), { received: 0, errors: [`ping: local error: message too long, mtu=${WAN_MTU}`] }, 'and the host believes it')
    t.same(await ping(bench, host, LAN_MTU, 'dont'), inFragments, 'the host fragments by itself')

    const tests = { server: 'stun', client: host, address: SERVER }
    const tcp = await iperf(bench, { ...tests, port })
    t.ok(tcp.bytes > 0, 'TCP, outbound', tcp)
    const udp = await iperf(bench, { ...tests, port: port + 1, options: ['--udp', '--bitrate', '4M', '--reverse', '--rcv-timeout', '5000'] })
    t.ok(udp.packets > 0 && udp.lost < 0.1 * udp.packets, 'UDP, inbound', udp)
  })))
})

t.test('two hosts of one LAN, over the WAN address of their router', needsNetworkTools, async t => {
  const port = 5201, { nat: router } = discovery.routers
  const staticMappings = ['tcp', 'udp'].map(protocol => ({ protocol, wanPort: port, address: '192.168.1.12', port }))
  await using bench = await openBench({ ...discovery, routers: { nat: { ...router, nat: { staticMappings, hairpinning: 'external-source' } } } })
  const tests = { server: 'neighbour', client: 'inside', address: '192.0.2.1', port }
  const tcp = await iperf(bench, tests)
  t.ok(tcp.bytes > 0, 'TCP', tcp)
  const udp = await iperf(bench, { ...tests, options: ['--udp', '--bitrate', '4M'] })
  t.ok(udp.packets > 0 && udp.lost < 0.1 * udp.packets, 'UDP', udp)
})
