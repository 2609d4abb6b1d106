// A Behaviour as plain data again, with addresses as text: what parseBehaviour reads back as the same Behaviour.
import type { Behaviour, OneToOne, PerProtocol, StaticMapping } from './behaviour.js'
import { formatIpv4 } from '../wire/address.js'

export type BehaviourData = Readonly<Record<keyof Behaviour, unknown>>

/** Plain data for JSON and YAML. Where all protocols agree, their value stands once. */
export function describeBehaviour(behaviour: Behaviour): BehaviourData {
  return {
    ...behaviour,
    mapping: perProtocol(behaviour.mapping), filtering: perProtocol(behaviour.filtering), refresh: perProtocol(behaviour.refresh),
    pool: behaviour.pool.map(formatIpv4),
    staticMappings: behaviour.staticMappings.map(describeStaticMapping),
    oneToOne: behaviour.oneToOne.map(describeOneToOne),
  }
}

const perProtocol = <T>(values: PerProtocol<T>): T | PerProtocol<T> =>
  values.tcp === values.udp && values.udp === values.icmp ? values.tcp : values

const describeStaticMapping = ({ wanAddress, address, ...ports }: StaticMapping): Record<string, unknown> =>
  ({ ...ports, ...(wanAddress === undefined ? {} : { wanAddress: formatIpv4(wanAddress) }), address: formatIpv4(address) })

const describeOneToOne = ({ wanAddress, address }: OneToOne): Record<string, string> =>
  ({ wanAddress: formatIpv4(wanAddress), address: formatIpv4(address) })
