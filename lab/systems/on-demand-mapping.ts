// The static mapping 5000 → 1600 of 104a for one connection only: set when 102 begins (211), taken away when its session is over,
// however that ends. Static NAPT leaves 102 reachable all the time; this does not, and a call from the WAN shows it.
//
// It is set over the router's control socket: static configuration, as the document has it, done by the run in 102's place.
import type { ConnectionName } from '../../captures/decode/connection-names.js'
import { wallTime } from '../../napt/clock.js'
import type { Peer } from '../../endpoints/peer.js'
import type { Transport } from '../../endpoints/plain.js'
import type { Apparatus } from '../programs/apparatus.js'
import { BenchError, type BenchDescription } from '../bench/bench.js'
import { hostAddress, LISTENING_PORT, reachedAt } from './placement.js'
import type { Stage } from './scenario.js'

const ROUTER = '104a', HOST = '102'
/** What the caller from the WAN calls from; the ladder knows its packets by it. */
const CALLER: Peer = { address: '130.74.23.6', port: 4000 }
/** Milliseconds for the end of a connection to be seen by the router. */
const SETTLE_LIMIT = 2000
/** Milliseconds until the caller gives up, and seconds by which the router's clock is turned on: it answers a SYN only after 6 s (RFC 5382 REQ-4). */
const CALL_LIMIT = { tcp: 10_000, udp: 500 }, ANSWER_DELAY = 6
const PURPOSE = 'direct connection'

/** The bench without the static mappings of 104a. @throws BenchError where it has none */
export function withoutStaticMappings(bench: BenchDescription): BenchDescription {
  const { routers = {} } = bench
  const nat = ROUTER in routers ? routers[ROUTER].nat : undefined
  if (typeof nat !== 'object' || nat === null || !('staticMappings' in nat)) throw new BenchError(`bench ${bench.name}: ${ROUTER} has no static mappings that could be set on demand`)
  return { ...bench, routers: { ...routers, [ROUTER]: { ...routers[ROUTER], nat: { ...nat, staticMappings: [] } } } }
}

/** How the packets of the call after the session are called, so that they are not taken for 208. */
export const callConnection = ({ address, port }: Peer): ConnectionName =>
  ({ called: `${address}:${port}`, caller: `${CALLER.address}:${CALLER.port}`, start: 'call after S209:', step: '' })

export class OnDemandMapping {
  readonly #lanAddress: string
  /** What is to lead to 102 for a while. */
  readonly #reachedAt: Peer

  /** @param transport of the direct connection */
  constructor(private readonly stage: Stage, bench: BenchDescription, private readonly transport: Transport) {
    this.#lanAddress = hostAddress(bench, HOST)
    this.#reachedAt = reachedAt(bench)
  }

  /** Sets it as soon as 102 listens, and lets 102 go on to 211. */
  async set(issuer: Apparatus): Promise<void> {
    const address = this.#lanAddress, { port: wanPort } = this.#reachedAt
    await issuer.event('listening', event => event.purpose === PURPOSE)
    await this.stage.router(ROUTER).request({ op: 'map', protocol: this.transport, wanPort, address, port: LISTENING_PORT })
    this.#tell('mapped', `${wanPort} → ${address}:${LISTENING_PORT}, for this connection`)
    issuer.proceed()
  }

  /** Takes it away when nothing is under way on it any more. */
  async remove(): Promise<void> {
    await this.#untilClosed()
    const { port: wanPort } = this.#reachedAt
    await this.stage.router(ROUTER).request({ op: 'unmap', protocol: this.transport, wanPort })
    this.#tell('unmapped', `${wanPort} leads nowhere again`)
  }

  /**
   * Calls the WAN endpoint from 101: a failure of the run unless the router drops the call, for want of a mapping, and refuses it.
   * @param caller a program on 101 that waits for its task
   */
  async callInVain(caller: Apparatus): Promise<void> {
    const { stage, transport } = this, to = this.#reachedAt
    const before = await this.#dropped()
    caller.begin({ role: 'asker', apparatus: '101', transport, localPort: CALLER.port, to, text: 'is anybody there?', within: CALL_LIMIT[transport] })
    const ended = caller.exited.then(() => true)
    for (let hasEnded = false; await this.#dropped() === before && !hasEnded;) {
      const frame = stage.nextFrame().then(() => false)
      hasEnded = await this.#dropped() > before || await Promise.race([frame, ended])
    }
    if (await this.#dropped() === before) stage.fail(`${ROUTER} let in a call to ${to.address}:${to.port} after S209, when nothing should be mapped there`)
    else await stage.router(ROUTER).request({ op: 'advance', seconds: ANSWER_DELAY })
    await ended
  }

  /** Packets that found no mapping. */
  async #dropped(): Promise<number> {
    return (await this.stage.router(ROUTER).request({ op: 'counters' })).dropped['no-mapping']
  }

  async #untilClosed(): Promise<void> {
    const { stage } = this, { port: wanPort } = this.#reachedAt
    const limit = AbortSignal.timeout(SETTLE_LIMIT)
    const aborted = new Promise(resolve => limit.addEventListener('abort', resolve, { once: true }))
    while (!limit.aborted) {
      const frame = stage.nextFrame()
      const table = await stage.router(ROUTER).request({ op: 'table' })
      if (table.every(row => row.wanPort !== wanPort || row.sessions.every(session => session.tcp === undefined || session.tcp === 'closed'))) return
      await Promise.race([frame, aborted])
    }
  }

  #tell(name: string, note: string): void {
    this.stage.step({ kind: 'step', time: wallTime(), lane: ROUTER, name, note })
  }
}
