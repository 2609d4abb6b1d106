// A quarter of a million damaged frames through both directions. Two routers see the same frames between different guard bytes:
// whatever one of them read or wrote outside a frame would make them differ.
import t from 'tap'
import { parseRouterConfig } from '../../napt/behaviour.js'
import { Router, type RouterOutput } from '../../napt/router.js'
import { DROP_REASON_NAMES, type Action, type DropReason, type Side } from '../../napt/verdict.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as icmp from '../../napt/wire/icmp.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcpWire from '../../napt/wire/tcp.js'
import * as udpWire from '../../napt/wire/udp.js'
import { arpReply, arpRequest, icmpError, IP, ping, pong, tcp, udp, withOptions, withTrailer } from './frames.js'
import { Random } from './random.js'
import { CONFIG_104B, MACS } from './router-bench.js'

const FRAMES = 250_000
const MAXIMUM_SESSIONS = 100
const WAITING_LIMIT = 512
const MARGIN = 64
const ROOM = 4096

const ACTIONS: readonly Action[] = ['forward', 'answer', 'drop', 'hold']

/** A router, a buffer with guard bytes, and a record of what it said and did. */
class Subject implements RouterOutput {
  readonly router: Router
  readonly #buffer = new Uint8Array(ROOM)
  readonly #guard: number
  readonly redelivered: { from: Side, frame: Uint8Array }[] = []
  waiting = 0
  abandonedCount = 0
  said: Uint8Array[] = []

  constructor(guard: number) {
    const nat = { ...CONFIG_104B.nat, maximumSessions: MAXIMUM_SESSIONS, filtering: 'address-dependent', staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] }
    this.router = new Router(parseRouterConfig({ ...CONFIG_104B, nat }), MACS, this, 0)
    this.#guard = guard
  }

  originate(_side: Side, frame: Uint8Array): void { this.said.push(frame.slice()) }
  redeliver(from: Side, frame: Uint8Array): void { this.waiting--; this.redelivered.push({ from, frame }) }
  abandoned(): void { this.waiting--; this.abandonedCount++ }

  /** The verdict and the frame as it is afterwards. @throws Error when a guard byte has changed */
  process(frame: Uint8Array, from: Side, partial: boolean, now: number): { action: Action, reason: DropReason | null, after: Uint8Array } {
    const buffer = this.#buffer, end = MARGIN + frame.length
    buffer.fill(this.#guard, 0, MARGIN)
    buffer.fill(this.#guard, end, end + MARGIN)
    buffer.set(frame, MARGIN)
    this.said = []
    const { action, reason } = this.router.process(buffer, MARGIN, end, partial, from, now)
    for (let i = 0; i < MARGIN; i++) if (buffer[i] !== this.#guard || buffer[end + i] !== this.#guard) throw new Error('written outside the frame')
    if (action === 'hold') this.waiting++
    return { action, reason, after: buffer.slice(MARGIN, end) }
  }
}

const random = new Random(250_000)
const HOSTS = ['192.168.1.2', '192.168.1.3', '192.168.1.11'], REMOTES = ['130.74.23.6', '8.117.12.109', '4.17.168.2'], WAN = '202.204.16.13'
const FLAGS = ['SYN', 'SYN ACK', 'ACK', 'FIN ACK', 'RST', 'PSH ACK']

/** A frame as it should be. */
function good(from: Side): Uint8Array {
  const host = random.pick(HOSTS), remote = random.pick(REMOTES), port = 1 + random.below(40)
  const wanPort = random.pick([2401, 3400, 5000]) + random.below(20)
  const [source, destination] = from === 'lan' ? [host, random.oneIn(50) ? WAN : remote] : [remote, WAN]
  const [sourcePort, destinationPort] = from === 'lan' ? [2000 + random.below(20), port] : [port, wanPort]
  const payload = 'x'.repeat(random.below(60))
  const datagram = udp(`${source}:${sourcePort}`, `${destination}:${destinationPort}`, payload)
  const segment = tcp(`${source}:${sourcePort}`, `${destination}:${destinationPort}`, random.pick(FLAGS), payload)
  switch (random.below(10)) {
    case 0: case 1: case 2: return datagram
    case 3: case 4: return segment
    case 5: return ping(source, from === 'lan' && random.oneIn(3) ? '192.168.1.1' : destination, 500 + random.below(20), payload, random.pick([8, 8, 13, 9]))
    case 6: return pong(source, destination, 500 + random.below(20), payload)
    case 7: case 8: {
      const about = from === 'lan'
        ? random.pick([udp(`${remote}:${port}`, `${host}:${sourcePort}`, payload), tcp(`${remote}:${port}`, `${host}:${sourcePort}`, 'ACK', payload), pong(remote, host, 7)])
        : random.pick([udp(`${WAN}:${wanPort}`, `${remote}:${port}`, payload), tcp(`${WAN}:${wanPort}`, `${remote}:${port}`, 'SYN', payload), ping(WAN, remote, 500)])
      return icmpError(source, destination, random.pick([3, 11, 12, 4, 5]), random.below(5), about, random.oneIn(3) ? random.below(about.length - IP) : about.length - IP)
    }
    default: {
      const own = from === 'lan' ? '192.168.1.1' : WAN, address = from === 'lan' ? host : remote
      const sender = { mac: MACS.lan, address }
      return random.oneIn(2) ? arpRequest(sender, own) : arpReply(sender, { mac: MACS[from], address: own })
    }
  }
}

/** Some of its bytes, its length or its checksums changed; checksums mostly made right again, so that deeper layers are reached. */
function damaged(frame: Uint8Array, from: Side): Uint8Array {
  let bytes = frame
  if (ethernet.type(bytes, 0) === ethernet.TYPE.ipv4 && random.oneIn(5)) bytes = withOptions(bytes, 4 * (1 + random.below(10)))
  if (random.oneIn(8)) bytes = withTrailer(bytes, random.below(40))
  for (let changes = random.pick([0, 1, 1, 2, 4]); changes > 0; changes--) {
    const at = random.below(random.pick([14, 34, 54, 70, bytes.length]))
    if (at < bytes.length) bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256), bytes[at] ^ (1 << random.below(8))])
  }
  if (random.oneIn(12)) bytes = bytes.slice(0, random.below(bytes.length + 1))
  if (random.oneIn(200)) bytes = random.bytes(random.below(100))
  if (bytes.length >= ethernet.HEADER && !random.oneIn(25)) ethernet.setAddresses(bytes, 0, MACS[from], MACS.lan)
  if (bytes.length >= IP + 20 && ethernet.type(bytes, 0) === ethernet.TYPE.ipv4 && !random.oneIn(10)) repairChecksums(bytes)
  return bytes
}

function repairChecksums(bytes: Uint8Array): void {
  const header = ipv4.headerLength(bytes, IP)
  if (header < 20 || IP + header > bytes.length) return
  ipv4.writeChecksum(bytes, IP)
  const transport = IP + header, end = Math.min(IP + ipv4.totalLength(bytes, IP), bytes.length)
  if (ipv4.protocol(bytes, IP) === ipv4.PROTOCOL.icmp && end - transport >= icmp.HEADER) icmp.writeChecksum(bytes, transport, end)
}

/** Whether the transport checksum of a whole packet is right. */
function transportHolds(frame: Uint8Array): boolean {
  const transport = IP + ipv4.headerLength(frame, IP), end = IP + ipv4.totalLength(frame, IP)
  switch (ipv4.protocol(frame, IP)) {
    case ipv4.PROTOCOL.udp: return udpWire.checksumHolds(frame, IP, transport)
    case ipv4.PROTOCOL.tcp: return tcpWire.checksumHolds(frame, IP, transport, end)
    default: return icmp.checksumHolds(frame, transport, end)
  }
}

t.test(`${FRAMES} damaged frames`, async t => {
  const subjects = [new Subject(0x00), new Subject(0xff)] as const
  const actions: Record<Action, number> = { forward: 0, answer: 0, drop: 0, hold: 0 }
  const reasons = new Map<DropReason, number>()
  const wrong = { verdict: 0, different: 0, headerChecksum: 0, transportChecksum: 0, changedThoughDropped: 0, sessions: 0, waiting: 0 }
  let now = 0

  const submit = (frame: Uint8Array, from: Side, partial: boolean): void => {
    const [first, second] = subjects.map(subject => subject.process(frame, from, partial, now))
    const { action, reason, after } = first
    actions[action]++
    if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    if (!ACTIONS.includes(action) || (action === 'drop') !== (reason !== null) || (reason !== null && !DROP_REASON_NAMES.includes(reason))) wrong.verdict++
    const sameSpeech = subjects[0].said.length === subjects[1].said.length && subjects[0].said.every((bytes, i) => Buffer.from(bytes).equals(subjects[1].said[i]))
    if (action !== second.action || reason !== second.reason || !sameSpeech || !Buffer.from(after).equals(second.after)) wrong.different++
    if (action === 'forward') {
      if (ipv4.check(after, IP, after.length) !== null) wrong.headerChecksum++
      // Right stays right, and wrong stays wrong for the host to find.
      if (!partial && transportHolds(after) !== transportHolds(frame)) wrong.transportChecksum++
    } else if (!Buffer.from(after).equals(frame)) wrong.changedThoughDropped++
  }

  for (let i = 0; i < FRAMES; i++) {
    const from: Side = random.oneIn(2) ? 'lan' : 'wan'
    submit(damaged(good(from), from), from, random.oneIn(20))
    for (;;) {
      const held = subjects[0].redelivered.shift(), same = subjects[1].redelivered.shift()
      if (held === undefined || same === undefined) break
      submit(held.frame, held.from, false)
    }
    if (random.oneIn(100)) {
      now += random.pick([1, 300, 1000, 20_000, 400_000])
      for (const { router } of subjects) router.tick(now)
    }
    if (i % 1000 === 0) {
      const sessions = subjects[0].router.table(now).reduce((sum, mapping) => sum + mapping.sessions.length, 0)
      if (sessions > MAXIMUM_SESSIONS) wrong.sessions++
      if (subjects[0].waiting > WAITING_LIMIT) wrong.waiting++
    }
  }

  t.same(wrong, { verdict: 0, different: 0, headerChecksum: 0, transportChecksum: 0, changedThoughDropped: 0, sessions: 0, waiting: 0 })
  t.ok(actions.forward > FRAMES / 20 && actions.hold > 0 && actions.answer > FRAMES / 50, `the frames went deep: ${JSON.stringify(actions)}`)
  const untouched = DROP_REASON_NAMES.filter(reason => !reasons.has(reason))
  t.same(untouched.filter(reason => !['no-free-port', 'neighbour-unreachable', 'queue-full'].includes(reason)), [], 'every reason but those that take 64,000 ports or a silent cable')

  const { counters } = subjects[0].router
  t.equal(Object.values(counters.dropped).reduce((sum, count) => sum + count), actions.drop + subjects[0].abandonedCount, 'every drop was counted')
  t.equal(counters.forwarded.lan + counters.forwarded.wan, actions.forward)
  t.equal(counters.held, actions.hold)

  now += 8_000_000
  for (let call = 0; call < 20; call++) subjects[0].router.tick(now)
  t.same(subjects[0].router.table(now).map(({ kind, sessions }) => [kind, sessions.length]), [['static', 0]], 'and in the end everything lapses')
})
