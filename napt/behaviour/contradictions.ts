// Choices that cannot hold together. Each is refused with the reason, so that nobody tests behind a NAT that is not the one
// that was described. What depends on the router's own addresses is in router-config.ts.
import { PROTOCOLS, type Behaviour, type Protocol } from './behaviour.js'
import { ConfigError, type Fields } from '../fields.js'
import { blocksPerAddress, firstBlockPort } from './port-blocks.js'
import { formatIpv4, type Ipv4Address } from '../wire/address.js'

const WITH_PORTS = ['tcp', 'udp'] as const satisfies readonly Protocol[]

/**
 * @param said the fields as they were written; of some choices only what was said contradicts, not what is there by default
 * @throws ConfigError that names the fields and says why they cannot hold together
 */
export function refuseContradictions(nat: Behaviour, said: Fields, at: string): void {
  const refuse = (field: string, why: string): never => { throw new ConfigError(`${at}.${field}: ${why}`) }
  const { from, to } = nat.portRange

  if (nat.portOverloading) {
    for (const choice of ['mapping', 'filtering'] as const) {
      const wide = WITH_PORTS.find(protocol => nat[choice][protocol] !== 'address-and-port-dependent')
      if (wide !== undefined) {
        refuse('portOverloading', `true needs ${choice} address-and-port-dependent for tcp and udp, and ${choice}.${wide} is ${nat[choice][wide]}: `
          + 'where hosts share a WAN port, the router tells by the remote endpoint whose a packet is')
      }
    }
  }

  if (nat.portBlock > 0) {
    if (blocksPerAddress(nat) === 0) refuse('portBlock', `a block of ${nat.portBlock} ports does not fit in portRange, of which blocks may have ${firstBlockPort(nat.portRange)} to ${to}: no host could be served`)
    if (nat.pooling === 'arbitrary') refuse('portBlock', 'a host\'s block is on one fixed WAN address, and pooling arbitrary would give each mapping another address')
  }

  for (const protocol of WITH_PORTS) {
    const port = nat.firstPort[protocol]
    if (port < from || port > to) refuse(`firstPort.${protocol}`, `${port} lies outside of portRange ${from} to ${to}`)
  }

  if (nat.translation === 'addresses') refuseWithoutPorts(nat, said, refuse)
  if (said.filterHairpinned === true && said.hairpinning === 'off') refuse('filterHairpinned', 'true says how hairpinned packets are filtered, and hairpinning off passes none')
  refuseAddressTwice(nat, refuse)
}

type Refuse = (field: string, why: string) => never

/** Basic NAT gives out addresses and leaves ports alone (RFC 2663 §4.1.1). */
function refuseWithoutPorts(nat: Behaviour, said: Fields, refuse: Refuse): void {
  const why = 'translation addresses leaves ports as they are'
  if (nat.pool.length === 0 && nat.oneToOne.length === 0) refuse('translation', 'addresses needs WAN addresses to give to hosts: name them under pool or oneToOne')
  if (nat.pooling === 'arbitrary') refuse('pooling', 'translation addresses gives a host one WAN address for all that it sends; arbitrary would give each mapping another')
  if (nat.portBlock > 0) refuse('portBlock', `${why}, so that a host has all ports of its address and no block of them`)
  if (nat.portOverloading) refuse('portOverloading', `${why}, and no two hosts share an address`)
  if (said.portAllocation !== undefined && nat.portAllocation !== 'preserve') refuse('portAllocation', `${why}: only preserve can hold, and it is ${nat.portAllocation}`)
  if (said.portRange !== undefined && (nat.portRange.from > 1 || nat.portRange.to < 65535)) {
    refuse('portRange', `${why}, whichever they are, and the range ${nat.portRange.from} to ${nat.portRange.to} has not all of them`)
  }
}

function refuseAddressTwice({ pool, oneToOne }: Behaviour, refuse: Refuse): void {
  const twice = (addresses: readonly Ipv4Address[]): number => addresses.findIndex((address, i) => addresses.indexOf(address) < i)
  const inPool = twice(pool)
  if (inPool >= 0) refuse(`pool[${inPool}]`, `${formatIpv4(pool[inPool])} is in the pool already`)
  const wan = twice(oneToOne.map(({ wanAddress }) => wanAddress))
  if (wan >= 0) refuse(`oneToOne[${wan}].wanAddress`, `${formatIpv4(oneToOne[wan].wanAddress)} belongs to another host already`)
  const lan = twice(oneToOne.map(({ address }) => address))
  if (lan >= 0) refuse(`oneToOne[${lan}].address`, `${formatIpv4(oneToOne[lan].address)} has another WAN address already`)
  const shared = oneToOne.findIndex(({ wanAddress }) => pool.includes(wanAddress))
  if (shared >= 0) refuse(`oneToOne[${shared}].wanAddress`, `${formatIpv4(oneToOne[shared].wanAddress)} is in the pool, which other hosts share; one-to-one gives it to one host alone`)
}

/** Where the first port was not said, it is one that the range has. */
export function firstPortsWithin(firstPort: Behaviour['firstPort'], said: Fields, { from, to }: Behaviour['portRange']): Behaviour['firstPort'] {
  const within = (protocol: Protocol): number => {
    const port = firstPort[protocol]
    return protocol === 'icmp' || said[protocol] !== undefined || (port >= from && port <= to) ? port : from
  }
  const [tcp, udp, icmp] = PROTOCOLS.map(within)
  return { tcp, udp, icmp }
}
