// The commands that speak to a router that runs: table, flush, renumber, clock, trace; as a person or a script uses them.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Behaviour } from '../../napt/behaviour/behaviour.js'
import { eventToRecord, type FrameEvent } from '../../napt/control/frame-event.js'
import { tcp, udp } from '../napt/frames.js'
import { show } from '../napt/show.js'
import { naptlab, NAPTLAB } from './naptlab.js'
import { serveRouter, type ServedRouter } from './served-router.js'

const REGISTRATION = udp('192.168.1.3:2000', '130.74.23.6:1200', '2133')

/** Mappings of every protocol; 104b gives them the ports of spec.md. */
function fill({ b }: ServedRouter): void {
  b.inject('lan', REGISTRATION)
  b.inject('lan', udp('192.168.1.3:2000', '130.74.23.6:1201'))
  b.inject('lan', tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'))
  b.inject('wan', tcp('130.74.23.6:1300', '202.204.16.13:2401', 'SYN ACK'))
  b.inject('lan', tcp('192.168.1.3:2601', '130.74.23.6:1300', 'SYN'))
}

/** A command that goes on until it is told to end; its lines as they come. */
function following(t: Test, args: readonly string[]): { child: ChildProcess, lines: Interface, next: () => Promise<string>, ended: Promise<number | null> } {
  const child = spawn(process.execPath, [NAPTLAB, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout }), iterator = lines[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const result = await iterator.next()
    return result.done === true ? '(end)' : result.value
  }
  return { child, lines, next, ended: once(child, 'close').then(([code]) => code as number | null) }
}

t.test('table: mappings, sessions, filters', async t => {
  const router = await serveRouter(t, { staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] })
  fill(router)
  const table = async (...options: string[]): Promise<string> => {
    const { code, stdout, stderr } = await naptlab(['table', router.path, ...options])
    t.equal(code, 0, stderr)
    return stdout
  }
  const all = await table()
  t.match(all, /192\.168\.1\.3 +202\.204\.16\.13 +2000 +3400 +udp +dynamic +130\.74\.23\.6:1201 (4 min 5\d|5 min 0) s left; 130\.74\.23\.6:1200/)
  t.match(all, /1600 +5000 +tcp +static +—/)

  const sessions = (await table('--sessions')).trimEnd().split('\n')
  t.match(sessions[0], /protocol +state +time left +LAN +WAN +remote +kind/)
  t.equal(sessions.length, 5)
  t.match(sessions[1], /tcp +established +2 h [34] min +192\.168\.1\.3:2600 +202\.204\.16\.13:2401 +130\.74\.23\.6:1300 +dynamic$/)

  t.match(JSON.parse(await table('--json', '--wan', '2401')), [{ protocol: 'tcp', wanPort: 2401, sessions: [{ tcp: 'established' }] }])
  t.match(await table('--remote', '130.74.23.6:1'), /no mapping/)
  t.match(await table('--kind', 'static', '--sessions'), /no session/)
  t.match(JSON.parse(await table('--json', '--sessions', '--remote', '130.74.23.6:1201')), [{ protocol: 'udp', lanPort: 2000, wanPort: 3400, remoteAddress: '130.74.23.6', remotePort: 1201 }])
})

t.test('filters that cannot be are told, before anybody is asked', async t => {
  for (const [options, wanted] of [
    [['--lan', 'here'], /--lan: 'here' is not ADDRESS, ADDRESS:PORT or PORT/],
    [['--state', 'half-open'], /--state is "half-open"; wanted is one of open, opening/],
    [['--watch', 'soon'], /--watch soon: a number of seconds from 0\.1 to 3600 is wanted/],
    [['--lan'], /Not enough arguments following: lan/],
  ] as const) {
    const { code, stdout, stderr } = await naptlab(['table', './nobody.sock', ...options])
    t.equal(code, 2, options.join(' '))
    t.match(stderr, wanted)
    t.equal(stdout, '')
  }
})

t.test('table --watch', async t => {
  const router = await serveRouter(t)
  t.test('appends snapshots with their time, and ends with Ctrl-C', async t => {
    const { child, next, ended } = following(t, ['table', router.path, '--watch', '0.1'])
    t.match(await next(), /control {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}0 mappings, 0 sessions$/)
    t.match(await next(), /no mapping/)
    t.equal(await next(), '')
    router.b.inject('lan', REGISTRATION)
    let line = await next()
    while (/ 0 mappings|no mapping|^$/.test(line)) line = await next()
    t.match(line, /1 mapping, 1 session$/)
    child.kill('SIGINT')
    t.equal(await ended, 0)
  })
  t.test('as JSON: a line when something has changed', async t => {
    const { child, next, ended } = following(t, ['table', router.path, '--watch', '0.1', '--json'])
    t.match(JSON.parse(await next()), [{ wanPort: 3400, sessions: { length: 1 } }])
    router.b.inject('lan', udp('192.168.1.3:2001', '130.74.23.6:1200'))
    t.match(JSON.parse(await next()), [{ wanPort: 3400 }, { wanPort: 3401 }], 'the very next line')
    child.kill('SIGINT')
    t.equal(await ended, 0)
  })
})

t.test('a table of 50,000 mappings', async t => {
  const router = await serveRouter(t, { firstPort: { udp: 2000 } })
  for (let port = 2000; port < 52_000; port++) router.b.inject('lan', udp(`192.168.1.3:${port}`, '130.74.23.6:1200'))
  const began = performance.now(), { code, stdout } = await naptlab(['table', router.path, '--sessions'])
  t.equal(code, 0)
  t.equal(stdout.split('\n').length, 50_002)
  t.ok(performance.now() - began < 10_000, 'within ten seconds, on a slow machine too')
  const head = spawn('sh', ['-c', `"$0" "$1" table "$2" | head -n 1; exit`, process.execPath, NAPTLAB, router.path], { stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) head[stream].setEncoding('utf8').on('data', (chunk: string) => { text[stream] += chunk })
  await once(head, 'close')
  t.match(text.stdout, /^ +LAN address.*\n$/)
  t.equal(text.stderr, '', 'a reader that goes is no error')
})

t.test('flush', async t => {
  const router = await serveRouter(t, { staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] })
  fill(router)
  const flush = async (...options: string[]): Promise<string> => (await naptlab(['flush', router.path, ...options])).stdout
  const ports = (): number[] => router.b.dataplane.router.table(router.b.dataplane.now).map(({ wanPort }) => wanPort)
  t.match(await flush('--remote', '130.74.23.6:1201'), /: 1 mapping removed/)
  t.same(ports(), [2401, 2402, 5000], 'the mapping goes with all its sessions')
  t.match(await flush('--lan', '192.168.1.99'), /: 0 mappings removed/)
  t.same(JSON.parse(await flush('--json', '--state', 'opening')), { mappings: 1 })
  t.same(ports(), [2401, 5000])
  t.match(await flush(), /: 1 mapping removed/)
  t.same(ports(), [5000], 'a static mapping stays')
})

t.test('renumber', async t => {
  const router = await serveRouter(t)
  fill(router)
  const { code, stdout } = await naptlab(['renumber', router.path, '202.204.16.99'])
  t.equal(code, 0)
  t.match(stdout, /the WAN address is 202\.204\.16\.99 now; 3 mappings went with the old one/)
  router.b.devices.wan.sentFrames.length = 0
  router.b.inject('lan', REGISTRATION)
  t.match(router.b.sent('wan').join(), /udp 202\.204\.16\.99:\d+ > 130\.74\.23\.6:1200 '2133'|arp who-has 130\.74\.23\.6 tell 202\.204\.16\.99/)
  const wrong = await naptlab(['renumber', router.path, '202.204.16'])
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /'202\.204\.16' is not an IPv4 address/)
})

t.test('nat set', async t => {
  const router = await serveRouter(t, { staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] })
  const folder = t.testdir({ 'mine.yaml': 'portAllocation: preserve\ntimeouts: { udp: 30 }\n', 'wrong.yaml': 'mapping: symmetric\n', 'static.yaml': 'staticMappings: []\n' })
  const nat = (): Behaviour => router.b.dataplane.router.config.nat
  const set = async (behaviour: string): Promise<string> => {
    const { code, stdout, stderr } = await naptlab(['nat', 'set', router.path, behaviour])
    t.equal(code, stdout === '' ? 2 : 0)
    return stdout + stderr
  }
  t.match(await set('symmetric'), /behaves as symmetric says; 0 mappings removed/)
  t.same(nat().mapping, { tcp: 'address-and-port-dependent', udp: 'address-and-port-dependent', icmp: 'address-and-port-dependent' })
  t.match(await set(join(folder, 'mine.yaml')), /behaves as .*mine\.yaml says/)
  t.match(nat(), { portAllocation: 'preserve', timeouts: { udp: 30, icmp: 60 }, staticMappings: [{ wanPort: 5000 }] })
  router.b.inject('lan', REGISTRATION)
  t.match(router.b.dataplane.router.table(router.b.dataplane.now), [{ kind: 'static' }, { lanPort: 2000, wanPort: 2000 }])
  t.match(await set(join(folder, 'wrong.yaml')), /nat\.mapping is "symmetric"; wanted is one of endpoint-independent/)
  t.match(await set('no-such-nat'), /there is no preset 'no-such-nat'/)
  t.match(nat(), { portAllocation: 'preserve' }, 'what is refused changes nothing')
  await set(join(folder, 'static.yaml'))
  t.same(nat().staticMappings, [], 'unless the file names others')
})

t.test('nat get gives a file that describes the router again', async t => {
  const router = await serveRouter(t, { mapping: 'address-dependent', staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] })
  const { code, stdout, stderr } = await naptlab(['nat', 'get', router.path])
  t.equal(code, 0, stderr)
  t.match(stdout, /^ {2}mapping: address-dependent$/m)
  t.notMatch(stdout, /hairpinning/, 'what is as the RFCs recommend is left out')
  const before = router.b.dataplane.router.config.nat
  t.equal((await naptlab(['nat', 'set', router.path, './got.yaml'], t.testdir({ 'got.yaml': stdout }))).code, 0)
  t.same(router.b.dataplane.router.config.nat, before)
})

t.test('clock', async t => {
  const router = await serveRouter(t)
  const clock = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await naptlab(['clock', words[0], router.path, ...words.slice(1)])
    t.equal(code, 0, stderr)
    return stdout
  }
  t.match(await clock('show'), /: \d+ s since it began, running\n/)
  t.match(await clock('freeze'), /since it began, frozen/)
  const before = JSON.parse(await clock('show', '--json')) as { seconds: number, rate: number }
  t.equal(before.rate, 0)
  t.same(JSON.parse(await clock('show', '--json')), before, 'time stands still')
  fill(router)
  t.match(await clock('advance', '4m'), /4m have passed\n.*: 4 min \d+ s since it began, frozen/)
  t.same(JSON.parse(await clock('advance', '1s', '--json')), { seconds: before.seconds + 241, rate: 0 })
  t.same(router.b.dataplane.router.table(router.b.dataplane.now).map(({ wanPort }) => wanPort), [2401, 3400], 'the connection that never opened has lapsed')
  t.match(await clock('run', '--rate', '10'), /running 10 times as fast as the machine's/)
  t.match(await clock('run'), /, running\n/)
  for (const rate of ['0', 'fast']) {
    const { code, stderr } = await naptlab(['clock', 'run', router.path, '--rate', rate])
    t.equal(code, 2)
    t.match(stderr, /--rate is (0|null); a number from 0\.001 to 1000 is wanted/)
  }
})

t.test('trace', async t => {
  const router = await serveRouter(t)
  const knock = udp('8.117.12.109:9000', '202.204.16.13:3400', 'hi')
  t.test('what happens, and why it is dropped, until Ctrl-C', async t => {
    const { child, next, ended } = following(t, ['trace', router.path])
    if (child.stderr !== null) await once(child.stderr, 'data') // it follows
    router.b.inject('lan', REGISTRATION)
    t.match(await next(), /^104b {2}lan → wan {2}forwarded {2}udp 192\.168\.1\.3:2000 → 130\.74\.23\.6:1200, .*, as 202\.204\.16\.13:3400 → 130\.74\.23\.6:1200$/)
    router.b.inject('wan', knock)
    t.equal(await next(), '104b  wan → lan  dropped  udp 8.117.12.109:9000 → 202.204.16.13:3400, 2 bytes')
    let line = await next()
    while (!line.startsWith('  rule')) line = await next()
    t.equal(line, '  rule     RFC 4787 REQ-8')
    child.kill('SIGINT')
    t.equal(await ended, 0)
  })
  t.test('only drops of one flow, as JSON', async t => {
    const { child, next, ended } = following(t, ['trace', router.path, '--drops', '--protocol', 'udp', '--remote', '8.117.12.109', '--wan', '3400', '--json'])
    if (child.stderr !== null) await once(child.stderr, 'data')
    router.b.inject('lan', udp('192.168.1.3:2000', '8.117.12.109:1'))
    router.b.inject('wan', udp('130.74.23.6:9', '202.204.16.13:3400'))
    router.b.inject('wan', tcp('8.117.12.109:9000', '202.204.16.13:3400', 'SYN'))
    router.b.inject('wan', udp('8.117.12.109:9000', '202.204.16.13:3401'))
    router.b.inject('wan', knock)
    const record = eventToRecord(JSON.parse(await next()) as FrameEvent)
    t.equal(show(record.received?.frame ?? new Uint8Array()), show(knock), 'the first of them that is meant')
    t.match(record, { action: 'drop', reason: 'filtered' })
    child.kill('SIGINT')
    t.equal(await ended, 0)
  })
})

t.test('what the devices lost is told beside the table and by counters', async t => {
  const router = await serveRouter(t)
  t.equal((await naptlab(['table', router.path])).stderr, '', 'nothing was lost')
  const { counters } = router.b.devices.lan
  Object.defineProperty(router.b.devices.lan, 'counters', { value: { ...counters, missed: 12, unsent: 3 } })
  const { stdout, stderr } = await naptlab(['table', router.path])
  t.match(stdout, /no mapping/)
  t.equal(stderr, 'note: frames lost at its devices: 12 missed on the LAN, 3 not sent on the LAN\n')
  t.match((await naptlab(['counters', router.path])).stdout, /lan device: missed +12\n +lan device: not sent +3\n +wan device: missed +0/)
})
