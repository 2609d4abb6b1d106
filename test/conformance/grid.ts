// Every mapping behaviour with every filtering behaviour, for one protocol: nine cases.
import { DEPENDENCES, type Dependence, type Protocol } from '../../napt/behaviour/behaviour.js'
import type { Case } from './requirement.js'

/** Nine cases; each sends to three remote endpoints from one LAN port, and is sent to by three from another. */
export function grid(protocol: Protocol): Case[] {
  return DEPENDENCES.flatMap(mapping => DEPENDENCES.map(filtering => ({
    name: `each mapping with each filtering: ${mapping}, ${filtering}`,
    setup: { mapping: { [protocol]: mapping } },
    option: { filtering: { [protocol]: filtering } },
    script: protocol === 'icmp' ? queryScript(mapping, filtering) : portScript(protocol, mapping, filtering),
  })))
}

function portScript(protocol: 'tcp' | 'udp', mapping: Dependence, filtering: Dependence): string {
  const first = protocol === 'tcp' ? ' SYN' : ''
  const otherPort = mapping === 'address-and-port-dependent', otherAddress = mapping !== 'endpoint-independent'
  return `
    lan ${protocol} A:2000 > S:1200${first}
    → wan ${protocol} R:2000 > S:1200${first}
    lan ${protocol} A:2000 > S:1201${first}
    → wan ${protocol} R:$p > S:1201${first}
    where $p ${otherPort ? '≠' : '='} 2000
    lan ${protocol} A:2000 > T:1200${first}
    → wan ${protocol} R:$q > T:1200${first}
    where $q ${otherAddress ? '≠' : '='} 2000
    ${otherPort ? 'where $p ≠ $q' : ''}
    lan ${protocol} A:3000 > S:1200${first}
    → wan ${protocol} R:3000 > S:1200${first}
    wan ${protocol} S:1200 > R:3000${first}
    → lan ${protocol} S:1200 > A:3000${first}
    wan ${protocol} S:1202 > R:3000${first}
    → ${filtering === 'address-and-port-dependent' ? 'dropped filtered' : `lan ${protocol} S:1202 > A:3000${first}`}
    wan ${protocol} T:9000 > R:3000${first}
    → ${filtering === 'endpoint-independent' ? `lan ${protocol} T:9000 > A:3000${first}` : 'dropped filtered'}`
}

/** Queries have no ports: a remote endpoint is an address. */
function queryScript(mapping: Dependence, filtering: Dependence): string {
  return `
    lan echo A > S id 7
    → wan echo R > S id 7
    lan echo A > T id 7
    → wan echo R > T id $i
    where $i ${mapping === 'endpoint-independent' ? '=' : '≠'} 7
    lan echo A > S id 8
    → wan echo R > S id 8
    wan echo-reply S > R id 8
    → lan echo-reply S > A id 8
    wan echo-reply M > R id 8
    → ${filtering === 'endpoint-independent' ? 'lan echo-reply M > A id 8' : 'dropped filtered'}`
}
