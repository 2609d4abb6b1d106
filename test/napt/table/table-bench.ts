// A NAPT table spoken to in text: `out('udp', '192.168.1.3:2000', '130.74.23.6:1200')` gives the WAN port, or why not.
import type { Behaviour, Protocol } from '../../../napt/behaviour/behaviour.js'
import { parseBehaviour } from '../../../napt/behaviour/read-behaviour.js'
import { PROTOCOL_CODE } from '../../../napt/table/flow-index.js'
import { NaptTable } from '../../../napt/table/napt-table.js'
import { formatEndpoint, parseEndpoint, parseIpv4, parsePrefix } from '../../../napt/wire/address.js'
import { FLAG } from '../../../napt/wire/tcp.js'
import type { DropReason } from '../../../napt/verdict.js'

export const WAN = parseIpv4('202.204.16.13')

/** `fields` as under `nat` in a configuration; ports are sequential from the numbers of spec.md unless it says otherwise. */
export const behaviour = (fields: Readonly<Record<string, unknown>> = {}): Behaviour =>
  parseBehaviour({ portAllocation: 'sequential', firstPort: { udp: 3400, tcp: 2401, icmp: 500 }, keepWellKnownPorts: false, ...fields })

/** A table of its own for a router with this behaviour. */
export const tableOf = (nat: Behaviour, wan = WAN): NaptTable =>
  new NaptTable({ nat, seed: 1, wan: { address: wan }, lan: { prefix: parsePrefix('192.168.1.1/24') } }, 0)

const flagBits = (flags: string): number =>
  flags === '' ? 0 : flags.split(' ').reduce((sum, name) => sum | FLAG[name.toLowerCase() as keyof typeof FLAG], 0)

export class TableBench {
  readonly table: NaptTable
  now = 0

  constructor(fields: Readonly<Record<string, unknown>> = {}) {
    this.table = tableOf(behaviour(fields))
  }

  /** The WAN port by which the packet leaves, or why it does not. For ICMP the port of `lan` is the identifier and `remote` has port 0. */
  out(protocol: Protocol, lan: string, remote: string, flags = protocol === 'tcp' ? 'SYN' : ''): number | DropReason {
    const from = parseEndpoint(lan), to = endpoint(remote)
    const session = this.table.outbound(PROTOCOL_CODE[protocol], from.address, from.port, to.address, to.port, flagBits(flags), this.now)
    return session < 0 ? this.table.failure : this.table.wanPort(session)
  }

  /** The LAN endpoint that the packet reaches, or why it reaches none. */
  in(protocol: Protocol, wanPort: number, remote: string, flags = protocol === 'tcp' ? 'SYN' : ''): string {
    const from = endpoint(remote)
    const session = this.table.inbound(PROTOCOL_CODE[protocol], WAN, wanPort, from.address, from.port, flagBits(flags), false, this.now)
    return session < 0 ? this.table.failure : formatEndpoint(this.table.lanAddress(session), this.table.lanPort(session))
  }

  map(protocol: 'tcp' | 'udp', wanPort: number, lan: string): void {
    const { address, port } = parseEndpoint(lan)
    this.table.addStatic({ protocol, wanPort: parseEndpoint(`0.0.0.0:${wanPort}`).port, address, port }, this.now)
  }

  /** One line a mapping: `udp 192.168.1.3:2000 = 3400 < 130.74.23.6:1200 300s`. */
  list(): string[] {
    return this.table.list(this.now).map(({ protocol, kind, lanAddress, lanPort, wanPort, sessions }) => {
      const remotes = sessions.map(session => ` < ${formatEndpoint(session.remoteAddress, session.remotePort)} ${session.tcp === undefined ? '' : `${session.tcp} `}${session.timeLeft / 1000}s`)
      return `${kind === 'static' ? 'static ' : ''}${protocol} ${formatEndpoint(lanAddress, lanPort)} = ${wanPort}${remotes.sort().join('')}`
    })
  }
}

/** As `parseEndpoint`, but port 0, which ICMP has, is allowed. */
function endpoint(text: string): { address: number, port: number } {
  return text.endsWith(':0') ? { address: parseIpv4(text.slice(0, -2)), port: 0 } : parseEndpoint(text)
}
