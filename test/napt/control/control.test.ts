// A router's control socket, both ends: every request, what is refused, tracing, and what can be wrong with the path.
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { describeBehaviour } from '../../../napt/behaviour/describe-behaviour.js'
import { DEFAULT_BEHAVIOUR } from '../../../napt/behaviour/behaviour.js'
import type { FlowFilterText } from '../../../napt/control/flow-filter.js'
import { ConfigError } from '../../../napt/fields.js'
import { parseBehaviour } from '../../../napt/behaviour/read-behaviour.js'
import type { TraceRecord } from '../../../napt/trace/trace.js'
import { ControlError, RouterClient } from '../../../napt/control/client.js'
import type { ControlRequest } from '../../../napt/control/protocol.js'
import { serveControl, type ControlHooks } from '../../../napt/control/server.js'
import { DROP_REASON_NAMES } from '../../../napt/verdict.js'
import { DataplaneBench, traceLine } from '../dataplane-bench.js'
import { tcp, udp } from '../frames.js'

const REGISTRATION = udp('192.168.1.3:2000', '130.74.23.6:1200', '2133')
const hooks = ({ clock }: DataplaneBench): ControlHooks => ({ device: 'memory', clock, endCaptures: async () => ['lan.pcap', 'wan.pcap'] })
/** A request as a client of another make might send it. */
const odd = (request: object): ControlRequest => request as ControlRequest

interface Running { readonly b: DataplaneBench, readonly path: string, readonly server: Server, readonly connect: () => Promise<RouterClient> }

/** A folder of the test's own. Not `t.testdir`: a socket's path is short. */
function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'napt-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** A router with its control socket in a folder; all of it ends with the test. */
async function running(t: Test): Promise<Running> {
  const b = new DataplaneBench(), path = join(folder(t), 'control')
  const server = await serveControl(path, b.dataplane, hooks(b))
  const clients: RouterClient[] = []
  t.teardown(() => {
    for (const client of clients) client.close()
    server.close()
    b.dataplane.close()
  })
  return {
    b, path, server,
    connect: async () => {
      const client = await RouterClient.connect(path)
      clients.push(client)
      return client
    },
  }
}

/** A bare connection: lines as they are. */
async function rawConnection(t: Test, path: string): Promise<{ socket: Socket, ask: (line: string) => Promise<unknown> }> {
  const socket = createConnection(path)
  await once(socket, 'connect')
  t.teardown(() => socket.destroy())
  const lines = createInterface({ input: socket })
  lines.on('error', () => socket.destroy())
  const ask = async (line: string): Promise<unknown> => {
    const answer = once(lines, 'line')
    socket.write(`${line}\n`)
    return JSON.parse(String((await answer)[0]))
  }
  return { socket, ask }
}

t.test('info', async t => {
  const { b, connect } = await running(t)
  t.same(await (await connect()).request({ op: 'info' }), {
    name: '104b', pid: process.pid, device: 'memory',
    lan: { interface: 'lan', address: '192.168.1.1/24' }, wan: { interface: 'wan', address: '202.204.16.13' },
    nat: describeBehaviour(b.dataplane.router.config.nat),
  })
})

t.test('the table, as Fig. 12 has it; time passes on request', async t => {
  const { b, connect } = await running(t)
  const client = await connect()
  t.same(await client.request({ op: 'table' }), [])
  b.inject('lan', REGISTRATION)
  b.inject('lan', tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'))
  const table = await client.request({ op: 'table' })
  t.hasStrict(table, [
    { protocol: 'tcp', kind: 'dynamic', lanAddress: '192.168.1.3', lanPort: 2600, wanAddress: '202.204.16.13', wanPort: 2401, sessions: [{ remoteAddress: '130.74.23.6', remotePort: 1300, tcp: 'opening' }] },
    { protocol: 'udp', kind: 'dynamic', lanAddress: '192.168.1.3', lanPort: 2000, wanAddress: '202.204.16.13', wanPort: 3400, sessions: [{ remoteAddress: '130.74.23.6', remotePort: 1200 }] },
  ])
  const [{ secondsLeft }] = table[1].sessions
  t.ok(secondsLeft > 290 && secondsLeft <= 300, `${secondsLeft} s left`)
  await client.request({ op: 'advance', seconds: 250 })
  t.same((await client.request({ op: 'table' })).map(({ wanPort }) => wanPort), [3400], 'the connection that never opened has gone')
  await client.request({ op: 'advance', seconds: 50 })
  t.same(await client.request({ op: 'table' }), [])
  await client.request({ op: 'nextPort', protocol: 'udp', port: 2400 })
  b.inject('lan', REGISTRATION)
  t.same((await client.request({ op: 'table' })).map(({ wanPort }) => wanPort), [2400], 'Fig. 8B')
})

t.test('a part of the table', async t => {
  const { b, connect } = await running(t)
  const client = await connect()
  b.inject('lan', REGISTRATION)
  b.inject('lan', tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'))
  const ports = async (filter: FlowFilterText): Promise<number[]> => (await client.request({ op: 'table', filter })).map(({ wanPort }) => wanPort)
  t.same(await ports({}), [2401, 3400])
  t.same(await ports({ protocol: 'udp', remote: '130.74.23.6' }), [3400])
  t.same(await ports({ state: 'established' }), [])
  await t.rejects(ports({ lan: 'here' }), { message: /^filter\.lan: 'here' is not ADDRESS/ })
})

t.test('flush', async t => {
  const { b, connect } = await running(t)
  const client = await connect()
  for (const port of [2000, 2001, 2002]) b.inject('lan', udp(`192.168.1.3:${port}`, '130.74.23.6:1200'))
  await client.request({ op: 'map', protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 })
  t.same(await client.request({ op: 'flush', filter: { lan: '192.168.1.3:2001' } }), { mappings: 1 })
  await t.rejects(client.request(odd({ op: 'flush', filter: { lan: 2001 } })), { message: 'filter.lan is 2001; a text is wanted' })
  await t.rejects(client.request(odd({ op: 'flush', filter: 'udp' })), { message: /^filter is "udp"; wanted are the fields/ }, 'nothing goes by mistake')
  t.same((await client.request({ op: 'table' })).map(({ wanPort }) => wanPort), [5000, 3400, 3402])
  t.same(await client.request({ op: 'flush' }), { mappings: 2 })
  t.same((await client.request({ op: 'table' })).map(({ kind }) => kind), ['static'])
})

t.test('another WAN address', async t => {
  const { b, connect } = await running(t)
  const client = await connect()
  b.inject('lan', REGISTRATION)
  t.same(await client.request({ op: 'renumber', address: '202.204.16.99' }), { mappings: 1 })
  t.equal((await client.request({ op: 'info' })).wan.address, '202.204.16.99')
  b.inject('lan', REGISTRATION)
  t.match(await client.request({ op: 'table' }), [{ wanAddress: '202.204.16.99', lanPort: 2000 }])
  await t.rejects(client.request({ op: 'renumber', address: '202.204.16' }), { message: /^address: '202\.204\.16' is not an IPv4 address/ })
})

t.test('another behaviour, and the whole of it as data', async t => {
  const { b, connect } = await running(t)
  const client = await connect()
  const nat = {
    filtering: { tcp: 'address-dependent', udp: 'endpoint-independent', icmp: 'address-and-port-dependent' }, portAllocation: 'preserve', timeouts: { udp: 30 },
    pool: ['202.204.16.13', '202.204.16.14'], staticMappings: [{ protocol: 'tcp', wanAddress: '202.204.16.13', wanPort: 5000, address: '192.168.1.11', port: 1600 }],
    oneToOne: [{ wanAddress: '202.204.16.15', address: '192.168.1.15' }],
  }
  t.same(await client.request({ op: 'behave', nat }), { mappings: 0 })
  const shown = (await client.request({ op: 'info' })).nat
  t.match(shown, nat)
  t.same(Object.keys(shown).sort(), Object.keys(DEFAULT_BEHAVIOUR).sort(), 'every choice is there')
  t.same(parseBehaviour(shown), b.dataplane.router.config.nat, 'and can be read back')
  t.same(await client.request({ op: 'behave', nat: shown }), { mappings: 0 })
  await t.rejects(client.request({ op: 'behave', nat: { mapping: 'symmetric' } }), { message: /^nat\.mapping is "symmetric"; wanted is one of endpoint-independent/ })
  await t.rejects(client.request({ op: 'behave', nat: undefined }), { message: /^nat missing/ })
  t.same((await client.request({ op: 'info' })).nat, shown, 'what is refused changes nothing')
})

t.test('the clock', async t => {
  const { b, connect } = await running(t)
  const client = await connect()
  const { seconds, rate } = await client.request({ op: 'freeze' })
  t.equal(rate, 0)
  t.same(await client.request({ op: 'clock' }), { seconds, rate: 0 })
  b.inject('lan', REGISTRATION)
  t.match(await client.request({ op: 'table' }), [{ sessions: [{ secondsLeft: 300 }] }])
  const later = await client.request({ op: 'advance', seconds: 299.5 })
  t.equal(later.rate, 0)
  t.ok(Math.abs(later.seconds - seconds - 299.5) < 0.002, `${later.seconds}`)
  t.match(await client.request({ op: 'table' }), [{ sessions: [{ secondsLeft: 0.5 }] }])
  t.equal((await client.request({ op: 'run', rate: 100 })).rate, 100)
  t.equal((await client.request({ op: 'run' })).rate, 1)
  for (const wrong of [0, -1, 1001, '10']) await t.rejects(client.request(odd({ op: 'run', rate: wrong })), { message: /^rate is .*; a number from 0\.001 to 1000 is wanted/ })
  t.equal((await client.request({ op: 'clock' })).rate, 1)
})

t.test('static mappings, and how they are refused', async t => {
  const { b, connect } = await running(t)
  const client = await connect()
  const map = { op: 'map', protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 } as const
  t.equal(await client.request(map), null)
  t.hasStrict(await client.request({ op: 'table' }), [{ kind: 'static', wanPort: 5000, lanAddress: '192.168.1.11', lanPort: 1600, sessions: [] }])
  await t.rejects(client.request({ ...map, address: '192.168.1.12' }), new ControlError('WAN port 5000/tcp is in use: 192.168.1.11:1600 = WAN port 5000 (static). Choose another port, or remove that mapping first.'))
  await t.rejects(client.request({ ...map, wanPort: 5001, address: '10.0.0.1' }), { message: /no host of the LAN 192\.168\.1\.1\/24/ })
  await t.rejects(client.request(odd({ ...map, protocol: 'icmp' })), { message: /mapping\.protocol is "icmp"; wanted is one of tcp, udp/ })
  await t.rejects(client.request({ ...map, wanPort: 70000 }), { message: /mapping\.wanPort is 70000; a number from 1 to 65535 is wanted/ })
  await t.rejects(client.request({ ...map, address: 'host' }), { message: /'host' is not an IPv4 address/ })
  t.equal(await client.request({ op: 'unmap', protocol: 'tcp', wanPort: 5000 }), null)
  await t.rejects(client.request({ op: 'unmap', protocol: 'tcp', wanPort: 5000 }), { message: 'WAN port 5000/tcp has no static mapping' })
  await t.rejects(client.request(odd({ op: 'unmap', protocol: 'icmp', wanPort: 5000 })), { message: 'protocol is "icmp"; wanted is one of tcp, udp' })
  t.same(b.dataplane.router.table(b.dataplane.now), [])
})

t.test('requests that cannot be', async t => {
  const { connect } = await running(t)
  const client = await connect()
  await t.rejects(client.request({ op: 'nextPort', protocol: 'udp', port: 3400.5 }), { message: 'port is 3400.5; a whole number is wanted' })
  await t.rejects(client.request({ op: 'nextPort', protocol: 'udp', port: 0 }), { message: 'port is 0; a number from 1 to 65535 is wanted' })
  await t.rejects(client.request(odd({ op: 'nextPort', protocol: 'sctp', port: 1 })), { message: 'protocol is "sctp"; wanted is one of tcp, udp, icmp' })
  await t.rejects(client.request({ op: 'unmap', protocol: 'tcp', wanPort: 1.5 }), { message: 'wanPort is 1.5; a whole number is wanted' })
  await t.rejects(client.request({ op: 'advance', seconds: -1 }), { message: /seconds is -1; a number from 0 to/ })
  await t.rejects(client.request({ op: 'advance', seconds: Infinity }), { message: /seconds is null; a number/ })
  t.equal((await client.request({ op: 'info' })).name, '104b', 'and the connection goes on')
})

t.test('counters hold every reason', async t => {
  const { b, connect } = await running(t)
  b.inject('lan', REGISTRATION)
  b.inject('lan', tcp('192.168.1.3:1', '130.74.23.6:1', 'ACK'))
  const counters = await (await connect()).request({ op: 'counters' })
  t.same(Object.keys(counters.dropped).sort(), [...DROP_REASON_NAMES].sort())
  t.hasStrict(counters, { held: 1, answered: 0, untraced: 0, forwarded: { lan: 0, wan: 0 }, devices: { lan: { received: 2, missed: 0 }, wan: { sent: 1 } } })
  t.equal(counters.dropped['no-session'], 1)
  t.ok(counters.memory > 1 << 20)
})

t.test('the end of the captures', async t => {
  const { connect } = await running(t)
  t.same(await (await connect()).request({ op: 'endCaptures' }), ['lan.pcap', 'wan.pcap'])
})

t.test('an error in the router\'s hooks is told', async t => {
  const b = new DataplaneBench(), path = join(folder(t), 'control')
  const server = await serveControl(path, b.dataplane, { ...hooks(b), endCaptures: () => Promise.reject(new Error('no space left')) })
  const client = await RouterClient.connect(path)
  t.teardown(() => { client.close(); server.close(); b.dataplane.close() })
  await t.rejects(client.request({ op: 'endCaptures' }), { message: /no space left/ })
})

t.test('tracing: to those who asked, from then on', async t => {
  const { b, connect } = await running(t)
  const listener = await connect(), other = await connect()
  b.greet('wan', '130.74.23.6')
  b.inject('lan', REGISTRATION)
  const lines: string[] = []
  let enough = (): void => undefined
  const three = new Promise<void>(resolve => { enough = resolve })
  await listener.trace(record => { if (lines.push(traceLine(record)) === 3) enough() })
  b.inject('lan', udp('192.168.1.3:2000', '130.74.23.6:1200', 'again'))
  b.inject('wan', udp('8.117.12.109:9', '202.204.16.13:3400'))
  t.equal((await other.request({ op: 'info' })).name, '104b', 'another client is not disturbed')
  b.inject('lan', udp('192.168.1.3:2000', '130.74.23.6:1200', '', { timeToLive: 1 }))
  await three
  t.same(lines.slice(0, 3), [
    "forward | lan udp 192.168.1.3:2000 > 130.74.23.6:1200 'again' | wan udp 202.204.16.13:3400 > 130.74.23.6:1200 'again'",
    'drop filtered | wan udp 8.117.12.109:9 > 202.204.16.13:3400',
    'drop ttl-expired | lan udp 192.168.1.3:2000 > 130.74.23.6:1200',
  ])
})

t.test('tracing drops alone, and then all', async t => {
  const { b, connect } = await running(t)
  const client = await connect()
  b.greet('wan', '130.74.23.6')
  const lines: string[] = []
  let enough = (): void => undefined
  const two = new Promise<void>(resolve => { enough = resolve })
  const note = (record: TraceRecord): void => { if (lines.push(traceLine(record)) === 2) enough() }
  await client.trace(note, { drops: true })
  b.inject('lan', REGISTRATION)
  b.inject('wan', udp('8.117.12.109:9', '202.204.16.13:3400'))
  await client.trace(note)
  b.inject('lan', REGISTRATION)
  await two
  t.same(lines, [
    'drop filtered | wan udp 8.117.12.109:9 > 202.204.16.13:3400',
    "forward | lan udp 192.168.1.3:2000 > 130.74.23.6:1200 '2133' | wan udp 202.204.16.13:3400 > 130.74.23.6:1200 '2133'",
  ])
  await t.rejects(client.request(odd({ op: 'trace', drops: 'yes' })), { message: 'drops is "yes"; wanted is true or false' })
})

t.test('a client that goes in the middle of a trace', async t => {
  const { b, path, server, connect } = await running(t)
  b.greet('wan', '130.74.23.6')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const { socket, ask } = await rawConnection(t, path)
  t.same(await ask('{"id":1,"op":"trace"}'), { id: 1, ok: true, result: null })
  const [served] = await accepted, gone = new Promise(resolve => served.once('close', resolve))
  // What it has not read makes the kernel reset the connection.
  b.inject('lan', REGISTRATION)
  socket.destroy()
  await gone
  for (let i = 0; i < 100; i++) b.inject('lan', REGISTRATION)
  const client = await connect()
  t.equal((await client.request({ op: 'counters' })).forwarded.lan, 101, 'the router goes on')
})

t.test('lines that are no requests are answered with an error, and the connection goes on', async t => {
  const { path } = await running(t)
  const { ask } = await rawConnection(t, path)
  const NO_JSON = 'a line of JSON is wanted, such as {"id":1,"op":"table"}'
  t.same(await ask('hello'), { id: null, ok: false, error: NO_JSON })
  t.same(await ask(''), { id: null, ok: false, error: NO_JSON })
  t.same(await ask('{"id":3'), { id: null, ok: false, error: NO_JSON })
  t.same(await ask('\u0000\u00ff'), { id: null, ok: false, error: NO_JSON })
  const unknown = 'no such request: undefined; known are info, table, counters, trace, map, unmap, nextPort, behave, flush, renumber, clock, freeze, run, advance, endCaptures'
  for (const line of ['null', '17', '"table"', '[]']) t.same(await ask(line), { id: null, ok: false, error: unknown }, line)
  t.same(await ask('{"id":4,"op":"reboot"}'), { id: 4, ok: false, error: unknown.replace('undefined', '"reboot"') })
  t.same(await ask('{"id":"five","op":"map"}'), { id: 'five', ok: false, error: 'mapping.protocol missing; wanted is one of tcp, udp' })
  t.same(await ask('{"id":6,"op":"table"}'), { id: 6, ok: true, result: [] })
})

t.test('requests in pieces, and several in one', async t => {
  const { path } = await running(t)
  const { socket, ask } = await rawConnection(t, path)
  socket.write('{"id":1,')
  t.same(await ask('"op":"table"}'), { id: 1, ok: true, result: [] })
  t.same(await ask('{"id":2,"op":"table"}\n{"id":3,"op":"table"}'), { id: 2, ok: true, result: [] })
})

t.test('a line without an end is cut off', async t => {
  const { path, connect } = await running(t)
  const { socket } = await rawConnection(t, path)
  // What the router has not read makes the kernel reset the connection, which `once` would take for a failure.
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.on('error', () => undefined)
  socket.resume()
  socket.write('x'.repeat(1_100_000))
  await closed
  t.equal((await (await connect()).request({ op: 'info' })).name, '104b', 'others are served')
})

t.test('no router at the path', async t => {
  const path = join(folder(t), 'control')
  writeFileSync(join(path, '..', 'file'), 'text')
  await t.rejects(RouterClient.connect(path), { message: new RegExp(`^no router answers at ${path} \\(.*ENOENT.*\\)\\. Is it running\\?$`) })
  await t.rejects(RouterClient.connect(join(path, '..', 'file')), { message: /no router answers at .*\/file/ })
})

t.test('the router ends while a request waits', async t => {
  const path = join(folder(t), 'control')
  const server = createServer(socket => socket.once('data', () => socket.destroy()))
  await new Promise<void>(resolve => server.listen(path, resolve))
  t.teardown(() => server.close())
  const client = await RouterClient.connect(path)
  await t.rejects(client.request({ op: 'info' }), new ControlError('the router ended before it answered'))
  await t.rejects(client.request({ op: 'info' }), new ControlError('the router has ended'))
})

t.test('something else listens at the path', async t => {
  const path = join(folder(t), 'control')
  const server = createServer(socket => socket.once('data', () => socket.end('500 unrecognized command\n')))
  await new Promise<void>(resolve => server.listen(path, resolve))
  t.teardown(() => server.close())
  const client = await RouterClient.connect(path)
  await t.rejects(client.request({ op: 'info' }), new ControlError('what listens there is no router: it answered in another language'))
})

t.test('the path of the socket', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  t.test('a stale socket is replaced', async t => {
    const path = join(folder(t), 'control')
    await leaveStaleSocket(path)
    t.ok(existsSync(path), 'it is there, and nobody listens')
    const server = await serveControl(path, b.dataplane, hooks(b))
    t.teardown(() => server.close())
    const client = await RouterClient.connect(path)
    t.teardown(() => client.close())
    t.equal((await client.request({ op: 'info' })).name, '104b')
  })
  t.test('the socket of a router that runs is left to it', async t => {
    const { path, connect } = await running(t)
    await t.rejects(serveControl(path, b.dataplane, hooks(b)), new ConfigError(`a router listens at ${path} already. Choose another path, or end that router first`))
    t.equal((await (await connect()).request({ op: 'info' })).name, '104b')
  })
  t.test('a file is refused, and left as it is', async t => {
    const path = join(folder(t), 'notes')
    writeFileSync(path, 'precious')
    await t.rejects(serveControl(path, b.dataplane, hooks(b)), new ConfigError(`no control socket can be made at ${path}: something else is there. Choose another path, or remove it`))
    t.equal(readFileSync(path, 'utf8'), 'precious')
  })
  t.test('a path that is too long is refused, not cut', async t => {
    const path = join(folder(t), 'x'.repeat(100))
    await t.rejects(serveControl(path, b.dataplane, hooks(b)), { message: /a socket's path may have 107 bytes, and this one has \d+$/ })
  })
  t.test('a folder that is not there', async t => {
    const path = join(folder(t), 'none', 'control')
    await t.rejects(serveControl(path, b.dataplane, hooks(b)), { message: new RegExp(`^no control socket can be made at ${path} \\(`) })
  })
})

/** A socket file without a listener, as a killed router leaves it: node itself would remove it on close, so it is closed by a child's death. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, ['-e', 'require("node:net").createServer().listen(process.argv[1], () => process.stdout.write("listening"))', path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}
