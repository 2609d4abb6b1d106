// The flows of an interface while packets come: which one a packet belongs to, by its ends, whichever way it goes.
import { formatIpv4 } from '../../napt/wire/address.js'
import type { CanonicalOptions } from './canonical-options.js'
import { DatagramFlow, type FlowBuilder } from './datagram-flow.js'
import { fieldOf, type Decoded, type Transport } from '../decode/decode.js'
import { FlowIndex } from './flow-index.js'
import { orderOf, portValue, type Flow, type Value } from './entries.js'
import { TcpConversation } from './tcp-stream.js'
import { NO_KEYS } from '../tls/key-log.js'

type FlowEnds = Omit<Flow, 'entries' | 'digest'>

export class FlowTable {
  readonly #options: CanonicalOptions
  /** TCP and UDP; null for flows that nobody wants to see. */
  readonly #byPorts = new FlowIndex<FlowBuilder | null>()
  readonly #others = new Map<string, FlowBuilder | null>()
  readonly #inOrder: FlowBuilder[] = []

  constructor(options: CanonicalOptions) { this.#options = options }

  /** @param decoded there for what has no ports. @returns null for a flow that nobody wants to see */
  builderFor(transport: Transport | null, decoded: Decoded | null): FlowBuilder | null {
    if (transport === null || transport.protocol === 'icmp') return this.#withoutPorts(transport, decoded)
    const { source, destination, protocol } = transport
    const isTcp = protocol === 'tcp', known = this.#byPorts.find(isTcp, transport)
    if (known !== undefined) return known
    const port = (value: number): Value => portValue(value, this.#options.ports)
    const builder = this.#make({ protocol, SA: formatIpv4(source.address), SP: port(source.port), DA: formatIpv4(destination.address), DP: port(destination.port) },
      each => each !== null && each.source.port === source.port && each.source.address === source.address)
    this.#byPorts.add(isTcp, transport, builder)
    return builder
  }

  finish(): Flow[] { return this.#inOrder.flatMap(builder => builder.finish()) }

  #withoutPorts(transport: Transport | null, decoded: Decoded | null): FlowBuilder | null {
    const text = (name: string): string => decoded === null ? '' : String(fieldOf(decoded, 'ipv4', name)?.value ?? '')
    const protocol = transport?.protocol ?? `ipv4 protocol ${text('protocol')}`, SA = text('SA'), DA = text('DA')
    const key = `${protocol} ${[SA, DA].sort().join(' ')}`, known = this.#others.get(key)
    if (known !== undefined) return known
    const made = this.#make({ protocol, SA, SP: 0, DA, DP: 0 }, each => each === null || formatIpv4(each.source.address) === SA)
    this.#others.set(key, made)
    return made
  }

  #make(named: Omit<FlowEnds, 'order'>, isForward: (transport: Transport | null) => boolean): FlowBuilder | null {
    const { only, bothWays, decoder, keys = NO_KEYS, digests } = this.#options
    if (only !== undefined && !endsTexts(named).some(each => only.has(each))) return null
    const ends = { ...named, order: orderOf([named.SP, named.DP], bothWays) }
    const made = named.protocol === 'tcp' ? new TcpConversation(ends, isForward, decoder, keys, digests === true ? 'blake2b512' : 'sha256') : new DatagramFlow(ends, isForward, this.#options)
    this.#inOrder.push(made)
    return made
  }
}

/** A flow's ends, either way round, without what differs from run to run. */
export function endsTexts({ protocol, SA, SP, DA, DP }: Pick<Flow, 'protocol' | 'SA' | 'SP' | 'DA' | 'DP'>): string[] {
  const port = (value: Value): string => typeof value === 'object' ? 'any' : String(value)
  return [`${protocol} ${SA}:${port(SP)} ${DA}:${port(DP)}`, `${protocol} ${DA}:${port(DP)} ${SA}:${port(SP)}`]
}
