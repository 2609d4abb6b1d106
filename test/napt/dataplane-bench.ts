// A whole router between two memory devices, and its trace as text. ARP is not answered unless the test does.
import { parseRouterConfig } from '../../napt/router-config.js'
import { RouterClock } from '../../napt/clock.js'
import { Dataplane } from '../../napt/dataplane.js'
import { MemoryDevice } from '../../napt/device/memory.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import type { Side } from '../../napt/verdict.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { parseMac, type MacAddress } from '../../napt/wire/address.js'
import { arpRequest } from './frames.js'
import { CONFIG_104B, MACS } from './router-bench.js'
import { show } from './show.js'

export const HOST_MACS = { lan: parseMac('02:00:00:00:00:03'), wan: parseMac('02:00:00:00:00:06') }

export class DataplaneBench {
  readonly devices: Readonly<Record<Side, MemoryDevice>>
  readonly clock: RouterClock
  readonly dataplane: Dataplane

  /** The router's clock runs with the machine's unless another is given. */
  constructor(nat: Readonly<Record<string, unknown>> = {}, mtu = 1500, clock = new RouterClock()) {
    this.clock = clock
    this.devices = { lan: new MemoryDevice('lan', MACS.lan, mtu), wan: new MemoryDevice('wan', MACS.wan, mtu) }
    const config = parseRouterConfig({ ...CONFIG_104B, nat: { ...CONFIG_104B.nat, ...nat } })
    this.dataplane = new Dataplane(config, this.devices, clock)
    this.dataplane.start()
  }

  /** A frame arrives, addressed to the router unless `to` says otherwise. */
  inject(side: Side, frame: Uint8Array, to: MacAddress = MACS[side]): void {
    const copy = frame.slice()
    if (ethernet.type(copy, 0) === ethernet.TYPE.ipv4) ethernet.setAddresses(copy, 0, to, HOST_MACS[side])
    this.devices[side].inject(copy)
  }

  /** The host or server makes itself known, so that nothing waits for ARP. */
  greet(side: Side, address: string): void {
    this.devices[side].inject(arpRequest({ mac: HOST_MACS[side], address }, side === 'lan' ? '192.168.1.1' : '202.204.16.13'))
    this.devices[side].sentFrames.length = 0
  }

  /** What the router has sent on a side since the last call. */
  sent(side: Side): string[] { return this.devices[side].sentFrames.splice(0).map(show) }
}

/** As in `forward | lan udp … | wan udp …`. */
export const traceLine = ({ action, reason, waited, received, sent }: TraceRecord): string =>
  [[action, reason, waited === true ? 'waited' : undefined].filter(word => word !== undefined).join(' '), ...[received, sent].flatMap(part => part === undefined ? [] : [`${part.side} ${show(part.frame)}`])].join(' | ')
