// One size of the core's benchmark, in this process: the table is filled with flows, looked up in both directions in random order,
// and left to expire. Only what the router does is timed; frames are written in between, a batch at a time, as a device would.
// Filling and emptying do the same work each time: of several rounds, a batch's or a turn's best counts, since the rest is what else
// the machine did.
import { batchIn } from '../napt/device/batch.js'
import { parseRouterConfig, type RouterConfig } from '../napt/router-config.js'
import { RouterMemory } from '../napt/router-memory.js'
import type { RouterOutput } from '../napt/router-output.js'
import { Router } from '../napt/router.js'
import type { Side } from '../napt/verdict.js'
import { formatIpv4, parseIpv4, type Ipv4Address, type MacAddress, type Port } from '../napt/wire/address.js'
import * as arp from '../napt/wire/arp.js'
import { read16, write16, write32 } from '../napt/wire/bytes.js'
import * as ethernet from '../napt/wire/ethernet.js'
import { udpFrame } from '../napt/wire/frame.js'
import * as ipv4 from '../napt/wire/ipv4.js'
import * as udp from '../napt/wire/udp.js'
import { BenchmarkError } from './process.js'
import { spreadOf, type Spread } from './statistics.js'

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
    /** The longest batch of 64, milliseconds: what growth of the table stops the loop for. */
    readonly slowestBatch: number
  }
  /** Of memory for a mapping with its session: everything that the router holds more than when it was empty. */
  readonly bytes: number
  readonly expiry: {
    /** `Router.tick`, milliseconds. */
    readonly longestTurn: number
    readonly turns: number
    readonly total: number
  }
}

const BATCH = 64, BATCHES = 16, ROUNDS = 3
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
  readonly memory = new RouterMemory()
  readonly #batch = batchIn(this.memory, BATCH, BATCH * STRIDE)
  readonly #template = udpFrame({ address: LAN, port: 1 as Port }, { address: REMOTE, port: REMOTE_PORT }, new Uint8Array(18), { destinationMac: MACS.lan })
  readonly #questions: { readonly side: Side, readonly frame: Uint8Array }[] = []
  readonly #flows: Int32Array
  readonly #wanAddresses: Int32Array
  readonly #wanPorts: Uint16Array

  constructor(mappings: number) {
    this.#flows = new Int32Array(BATCH)
    this.#wanAddresses = new Int32Array(mappings)
    this.#wanPorts = new Uint16Array(mappings)
    const { starts, ends } = this.#batch, { length } = this.#template
    starts.forEach((_, i) => {
      starts[i] = i * STRIDE
      ends[i] = i * STRIDE + length
    })
    this.router = new Router(configFor(mappings), { lan: { mac: MACS.lan, mtu: 1500 }, wan: { mac: MACS.wan, mtu: 1500 } }, this, this.now, { memory: this.memory })
  }

  originate(side: Side, frame: Uint8Array): void { this.#questions.push({ side, frame: frame.slice() }) }
  redeliver(from: Side, frame: Uint8Array): void { this.router.process(frame, 0, frame.length, false, from, this.now) }
  abandoned(): void { throw new BenchmarkError('a frame was given up') }

  /** Frame `i` of the batch becomes a packet of a flow. */
  write(i: number, flow: number, from: Side): void {
    const { bytes } = this.#batch, at = i * STRIDE, host = FIRST_HOST + Math.floor(flow / PORTS_OF_A_HOST), port = FIRST_PORT + flow % PORTS_OF_A_HOST
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
    const { router, now } = this, batch = this.#batch, { bytes, starts, ends } = batch
    let refused = 0
    const start = performance.now()
    router.foresee(batch, 0, BATCH, from)
    for (let i = router.forwardRun(batch, 0, BATCH, from, now); i < BATCH; i = router.forwardRun(batch, i + 1, BATCH, from, now)) {
      if (router.process(bytes, starts[i], ends[i], false, from, now).action !== 'forward') refused++
    }
    const time = performance.now() - start
    if (refused > 0) throw new BenchmarkError(`${refused} frames of ${BATCH} from the ${from} were not forwarded`)
    this.now += 0.01
    return time
  }

  /** The WAN endpoints of the flows whose frames have just left. */
  remember(): void {
    for (const [i, flow] of this.#flows.entries()) {
      const at = i * STRIDE
      this.#wanAddresses[flow] = ipv4.source(this.#batch.bytes, at + IP)
      this.#wanPorts[flow] = read16(this.#batch.bytes, at + TRANSPORT)
    }
  }

  /** A packet of a flow, for whose next hop ARP is asked and answered if need be. */
  introduce(flow: number, from: Side): void {
    this.write(0, flow, from)
    const frame = this.#batch.bytes.slice(0, this.#template.length)
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
  const few = Math.min(mappings, 8 * 1024), warm = new Core(few)
  fill(warm, few)
  look(warm, few, 0.5)
  expire(warm)

  const fillings: Float64Array[] = [], emptyings: Float64Array[] = []
  let bytes = 0, found = { outbound: NO_SPREAD, inbound: NO_SPREAD }
  for (let round = 0; round < ROUNDS; round++) {
    const core = new Core(mappings), before = memory(core)
    fillings.push(fill(core, mappings))
    bytes = (memory(core) - before) / mappings
    if (round === ROUNDS - 1) found = look(core, mappings, seconds)
    emptyings.push(expire(core))
  }
  const batches = bestOf(fillings), turns = bestOf(emptyings)
  return {
    mappings, ...found, bytes, creation: { rate: batches.length * BATCH / sumOf(batches) * 1000, slowestBatch: mostOf(batches) },
    expiry: { longestTurn: mostOf(turns), turns: turns.length, total: sumOf(turns) },
  }
}

const NO_SPREAD: Spread = { median: 0, least: 0, most: 0 }

/** The milliseconds of each batch. */
function fill(core: Core, mappings: number): Float64Array {
  const times = new Float64Array(Math.floor(mappings / BATCH))
  core.introduce(0, 'lan')
  for (const [batch] of times.entries()) {
    for (let i = 0; i < BATCH; i++) core.write(i, batch * BATCH + i, 'lan')
    times[batch] = core.process('lan')
    core.remember()
  }
  for (let flow = times.length * BATCH; flow < mappings; flow++) core.introduce(flow, 'lan')
  return times
}

/** Step by step the best of all rounds, which have the same steps. */
const bestOf = (rounds: readonly Float64Array[]): Float64Array => rounds[0].map((_, step) => Math.min(...rounds.map(times => times[step])))
const sumOf = (times: Float64Array): number => times.reduce((sum, time) => sum + time)
const mostOf = (times: Float64Array): number => times.reduce((most, time) => Math.max(most, time))

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

/** The milliseconds of each turn of the loop until the table is empty. */
function expire(core: Core): Float64Array {
  const times: number[] = []
  core.now += 2 * TIMEOUT * 1000
  do {
    const start = performance.now()
    core.router.tick(core.now)
    times.push(performance.now() - start)
  } while (core.router.untilTick(core.now) === 0)
  if (core.router.table(core.now).length > 0) throw new BenchmarkError('mappings are left')
  return Float64Array.from(times)
}

/** Bytes of heap, of typed arrays and of the router's own memory, after collecting garbage. */
function memory({ memory: { used } }: Core): number {
  if (globalThis.gc === undefined) throw new BenchmarkError('run it with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers + used
}

function randomBelow(limit: number): () => number {
  let state = 12345
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0, (state >>> 8) % limit)
}
