// One size of the core's benchmark, in this process: the table is filled with flows, looked up in both directions in random order,
// and left to expire. Only what the router does is timed; frames are written in between, a batch at a time, as a device would.
import { parseRouterConfig, type RouterConfig } from '../napt/router-config.js'
import { Router, type RouterOutput } from '../napt/router.js'
import type { Side } from '../napt/verdict.js'
import { formatIpv4, parseIpv4, type Ipv4Address, type MacAddress, type Port } from '../napt/wire/address.js'
import * as arp from '../napt/wire/arp.js'
import { read16, write16, write32 } from '../napt/wire/bytes.js'
import * as ethernet from '../napt/wire/ethernet.js'
import { udpFrame } from '../napt/wire/frame.js'
import * as ipv4 from '../napt/wire/ipv4.js'
import * as udp from '../napt/wire/udp.js'
import { BenchmarkError } from './process.js'
import { spreadOf, type Spread } from './rounds.js'

export interface CoreRun {
  /** Mappings, each with one session. */
  readonly mappings: number
  /** Of look-ups. */
  readonly seconds: number
}

export interface CoreFigures {
  readonly mappings: number
  /** Frames of known flows a second, in random order: over samples of 1,024 frames. */
  readonly outbound: Spread
  readonly inbound: Spread
  readonly creation: {
    /** Mappings a second, over all of them: growth of the table is in it. */
    readonly rate: number
    /** The longest batch of 64, milliseconds of CPU time: what growth of the table stops the loop for. */
    readonly slowestBatch: number
  }
  /** Of memory for a mapping with its session: everything that the router holds more than when it was empty. */
  readonly bytes: number
  readonly expiry: {
    /** `Router.tick`, milliseconds of CPU time. */
    readonly longestTurn: number
    readonly turns: number
    readonly total: number
  }
}

const BATCH = 64, BATCHES = 16
/** Bytes from frame to frame: not a power of two, which would put all of them into few lines of the cache. */
const STRIDE = 2048 + 64
const PORTS_OF_A_HOST = 3000, PORTS_OF_AN_ADDRESS = 60_000, FIRST_PORT = 1024
const LAN = parseIpv4('10.0.0.1'), WAN = parseIpv4('202.204.16.13'), POOL = parseIpv4('202.205.0.1'), FIRST_HOST = parseIpv4('10.1.0.2'), REMOTE = parseIpv4('130.74.0.6')
const MACS = { lan: Uint8Array.of(2, 0, 0, 0, 4, 1) as MacAddress, wan: Uint8Array.of(2, 0, 0, 0, 4, 2) as MacAddress }
const NEIGHBOUR = Uint8Array.of(2, 0, 0, 0, 4, 3) as MacAddress
const REMOTE_PORT = 1200 as Port
const IP = ethernet.HEADER, TRANSPORT = IP + ipv4.MINIMUM_HEADER
const TIMEOUT = 300

const configFor = (mappings: number): RouterConfig => parseRouterConfig({
  name: 'core', lan: { interface: 'lan', address: `${formatIpv4(LAN)}/8` }, wan: { interface: 'wan', address: formatIpv4(WAN), gateway: '202.204.16.1' },
  nat: {
    pool: Array.from({ length: Math.ceil(mappings / PORTS_OF_AN_ADDRESS) }, (_, i) => formatIpv4(POOL + i as Ipv4Address)),
    limits: { sessions: mappings }, timeouts: { udp: TIMEOUT },
  },
})

/** The router with its surroundings, and a batch of frames. */
class Core implements RouterOutput {
  readonly router: Router
  now = 1000
  readonly #bytes = new Uint8Array(BATCH * STRIDE)
  readonly #template = udpFrame({ address: LAN, port: 1 as Port }, { address: REMOTE, port: REMOTE_PORT }, new Uint8Array(18), { destinationMac: MACS.lan })
  readonly #questions: { readonly side: Side, readonly frame: Uint8Array }[] = []
  readonly #flows: Int32Array
  readonly #wanAddresses: Int32Array
  readonly #wanPorts: Uint16Array

  constructor(mappings: number) {
    this.#flows = new Int32Array(BATCH)
    this.#wanAddresses = new Int32Array(mappings)
    this.#wanPorts = new Uint16Array(mappings)
    this.router = new Router(configFor(mappings), { lan: { mac: MACS.lan, mtu: 1500 }, wan: { mac: MACS.wan, mtu: 1500 } }, this, this.now)
  }

  originate(side: Side, frame: Uint8Array): void { this.#questions.push({ side, frame: frame.slice() }) }
  redeliver(from: Side, frame: Uint8Array): void { this.router.process(frame, 0, frame.length, false, from, this.now) }
  abandoned(): void { throw new BenchmarkError('a frame was given up') }

  /** Frame `i` of the batch becomes a packet of a flow. */
  write(i: number, flow: number, from: Side): void {
    const bytes = this.#bytes, at = i * STRIDE, host = FIRST_HOST + Math.floor(flow / PORTS_OF_A_HOST), port = FIRST_PORT + flow % PORTS_OF_A_HOST
    this.#flows[i] = flow
    bytes.set(this.#template, at)
    ethernet.setAddresses(bytes, at, MACS[from], NEIGHBOUR)
    const outbound = from === 'lan', remote = REMOTE + (flow % 200 << 8)
    write32(bytes, at + IP + 12, outbound ? host : remote)
    write32(bytes, at + IP + 16, outbound ? remote : this.#wanAddresses[flow])
    write16(bytes, at + TRANSPORT, outbound ? port : REMOTE_PORT)
    write16(bytes, at + TRANSPORT + 2, outbound ? REMOTE_PORT : this.#wanPorts[flow])
    ipv4.writeChecksum(bytes, at + IP)
    udp.writeChecksum(bytes, at + IP, at + TRANSPORT)
  }

  /** Processes the batch and gives the milliseconds that it took. @throws BenchmarkError unless every frame is forwarded */
  process(from: Side): number {
    const { router, now } = this, bytes = this.#bytes, length = this.#template.length
    let refused = 0
    const start = performance.now()
    for (let i = 0; i < BATCH; i++) if (router.process(bytes, i * STRIDE, i * STRIDE + length, false, from, now).action !== 'forward') refused++
    const time = performance.now() - start
    if (refused > 0) throw new BenchmarkError(`${refused} frames of ${BATCH} from the ${from} were not forwarded`)
    this.now += 0.01
    return time
  }

  /** The WAN endpoints of the flows whose frames have just left. */
  remember(): void {
    for (const [i, flow] of this.#flows.entries()) {
      const at = i * STRIDE
      this.#wanAddresses[flow] = ipv4.source(this.#bytes, at + IP)
      this.#wanPorts[flow] = read16(this.#bytes, at + TRANSPORT)
    }
  }

  /** A packet of a flow, for whose next hop ARP is asked and answered if need be. */
  introduce(flow: number, from: Side): void {
    this.write(0, flow, from)
    const frame = this.#bytes.slice(0, this.#template.length)
    this.router.process(frame, 0, frame.length, false, from, this.now)
    for (const { side, frame: question } of this.#questions.splice(0)) {
      const answer = new Uint8Array(question.length), asked = arp.targetAddress(question, IP), own = arp.senderAddress(question, IP)
      arp.writeFrame(answer, 0, 'reply', { mac: NEIGHBOUR, address: asked }, { mac: MACS[side], address: own })
      this.router.process(answer, 0, answer.length, false, side, this.now)
    }
  }
}

/** @throws BenchmarkError when a frame is not forwarded, or the process cannot collect its garbage (`--expose-gc`) */
export function measureCore({ mappings, seconds }: CoreRun): CoreFigures {
  const warm = new Core(Math.min(mappings, 8 * 1024))
  fill(warm, Math.min(mappings, 8 * 1024))
  look(warm, Math.min(mappings, 8 * 1024), 1)
  expire(warm)

  const core = new Core(mappings), before = memory()
  const creation = fill(core, mappings)
  const bytes = (memory() - before) / mappings
  const { outbound, inbound } = look(core, mappings, seconds)
  return { mappings, outbound, inbound, creation, bytes, expiry: expire(core) }
}

function fill(core: Core, mappings: number): CoreFigures['creation'] {
  let time = 0, slowest = 0
  core.introduce(0, 'lan')
  const whole = Math.floor(mappings / BATCH) * BATCH
  for (let flow = 0; flow < whole; flow += BATCH) {
    for (let i = 0; i < BATCH; i++) core.write(i, flow + i, 'lan')
    const cpu = process.cpuUsage()
    time += core.process('lan')
    slowest = Math.max(slowest, millisecondsOf(process.cpuUsage(cpu)))
    core.remember()
  }
  for (let flow = whole; flow < mappings; flow++) core.introduce(flow, 'lan')
  return { rate: whole / time * 1000, slowestBatch: slowest }
}

function look(core: Core, mappings: number, seconds: number): { readonly outbound: Spread, readonly inbound: Spread } {
  const random = randomBelow(Math.floor(mappings / BATCH) * BATCH)
  for (let flow = 0; flow < mappings; flow += PORTS_OF_A_HOST) core.introduce(flow, 'wan')
  // Every flow is settled in both directions before it is measured.
  for (const from of ['lan', 'wan'] as const) for (let flow = 0; flow + BATCH <= mappings; flow += BATCH) turn(core, from, i => flow + i)
  const rates = { lan: [] as number[], wan: [] as number[] }, end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    for (const from of ['lan', 'wan'] as const) {
      let time = 0
      for (let batch = 0; batch < BATCHES; batch++) time += turn(core, from, random)
      rates[from].push(BATCH * BATCHES / time * 1000)
    }
  }
  return { outbound: spreadOf(rates.lan), inbound: spreadOf(rates.wan) }
}

function turn(core: Core, from: Side, flowOf: (i: number) => number): number {
  for (let i = 0; i < BATCH; i++) core.write(i, flowOf(i), from)
  return core.process(from)
}

function expire(core: Core): CoreFigures['expiry'] {
  let turns = 0, longest = 0, total = 0
  core.now += 2 * TIMEOUT * 1000
  do {
    const cpu = process.cpuUsage(), start = performance.now()
    core.router.tick(core.now)
    total += performance.now() - start
    longest = Math.max(longest, millisecondsOf(process.cpuUsage(cpu)))
    turns++
  } while (core.router.untilTick(core.now) === 0)
  if (core.router.table(core.now).length > 0) throw new BenchmarkError('mappings are left')
  return { longestTurn: longest, turns, total }
}

const millisecondsOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000

/** Bytes of heap and of typed arrays, after collecting garbage. */
function memory(): number {
  if (globalThis.gc === undefined) throw new BenchmarkError('run it with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function randomBelow(limit: number): () => number {
  let state = 12345
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0, (state >>> 8) % limit)
}
