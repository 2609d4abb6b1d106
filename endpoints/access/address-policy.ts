// Which addresses an acceptor connects to. A request names the address, so whoever may make requests would else reach whatever
// the acceptor reaches: its own machine, its LAN, a neighbour's router. Refused are all special addresses, this machine's own
// and those of its networks; what the owner allows is taken out of that, and what the owner denies is refused besides.
//
// As with routes, the longest prefix decides: allowing 0.0.0.0/0 opens nothing that is named more narrowly, and to reach a host in the
// machine's own network that network or the host itself has to be named. Of equally long ones denying counts before allowing,
// and that before what is built in. Asked anew for each connection, since a machine's addresses change.
import { networkInterfaces } from 'node:os'
import { SPECIAL_ADDRESSES } from './special-addresses.js'

export interface AddressPolicy {
  /** IPv4 prefixes, or addresses, that are connected to although they are special or near. */
  readonly allow?: readonly string[]
  /** … that are not connected to, although they are neither. */
  readonly deny?: readonly string[]
  /** What networks this machine is in; the system's own list when absent. */
  readonly interfaces?: () => readonly Interface[]
}

export interface Interface {
  readonly name: string
  readonly address: string
  /** Of its network, bits. */
  readonly length: number
}

interface Prefix { readonly base: number, readonly length: number }
interface Rule extends Prefix { readonly rank: 'denied' | 'allowed' | 'built-in', readonly why: string }

const RANKS: readonly Rule['rank'][] = ['denied', 'allowed', 'built-in']

/** @throws RangeError unless `text` is ADDRESS/LENGTH, without bits behind the prefix, or an address */
export function parsePrefix(text: string): Prefix {
  const [, address = '', digits = '32'] = /^([\d.]+)(?:\/(\d{1,2}))?$/.exec(text) ?? []
  const base = toNumber(address), length = Number(digits)
  if (base === null || length > 32) throw new RangeError(`'${text}' is not an IPv4 prefix (such as 192.168.7.0/24) or address`)
  const prefix = { base: masked(base, length), length }
  if (prefix.base !== base) throw new RangeError(`'${text}' has bits behind its first ${length}; did you mean ${format(prefix)}?`)
  return prefix
}

const NEVER = SPECIAL_ADDRESSES.filter(({ never }) => never).map(({ prefix, name, rfc }) => ({ ...parsePrefix(prefix), why: `${prefix}, ${name} (${rfc})` }))
const SPECIAL: readonly Rule[] = SPECIAL_ADDRESSES.map(({ prefix, name, rfc }) => ({ ...parsePrefix(prefix), rank: 'built-in', why: `${prefix}, ${name} (${rfc})` }))

/**
 * Which addresses may be connected to.
 * @returns for an address, why it is not connected to, for this machine's owner; or null
 * @throws RangeError when a prefix of the policy is none, or allows what cannot be
 */
export function addressCheck({ allow = [], deny = [], interfaces = systemInterfaces }: AddressPolicy = {}): (address: string) => string | null {
  const rules: readonly Rule[] = [
    ...deny.map((text): Rule => ({ ...parsePrefix(text), rank: 'denied', why: `${text}, which is denied here` })),
    ...allow.map((text): Rule => ({ ...allowable(text), rank: 'allowed', why: '' })),
    ...SPECIAL,
  ]
  return address => {
    const number = toNumber(address)
    if (number === null) return 'it is not an IPv4 address'
    const never = NEVER.find(prefix => contains(prefix, number))
    if (never) return `it is in ${never.why}`
    const rule = [...rules, ...interfaces().flatMap(nearRules)].filter(each => contains(each, number)).sort(byPreference).at(0)
    return rule === undefined || rule.rank === 'allowed' ? null : `it is in ${rule.why}`
  }
}

function allowable(text: string): Prefix {
  const prefix = parsePrefix(text)
  const never = NEVER.find(each => each.length <= prefix.length && contains(each, prefix.base))
  if (never) throw new RangeError(`'${text}' cannot be allowed: it is in ${never.why}`)
  return prefix
}

function nearRules({ name, address, length }: Interface): Rule[] {
  const own = toNumber(address)
  if (own === null) return []
  const network = { base: masked(own, length), length }
  return [
    { base: own, length: 32, rank: 'built-in', why: `${address}/32, this machine's own address` },
    { ...network, rank: 'built-in', why: `${format(network)}, this machine's own network at ${name}` },
  ]
}

const byPreference = (a: Rule, b: Rule): number => b.length - a.length || RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank)

function systemInterfaces(): Interface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) => addresses.flatMap(({ family, address, cidr }) =>
    family === 'IPv4' ? [{ name, address, length: Number(cidr?.split('/').at(1) ?? 32) }] : []))
}

function contains({ base, length }: Prefix, address: number): boolean { return masked(address, length) === base }

function masked(address: number, length: number): number { return length === 0 ? 0 : (address & (-1 << (32 - length))) >>> 0 }

function format({ base, length }: Prefix): string { return `${[24, 16, 8, 0].map(shift => (base >>> shift) & 255).join('.')}/${length}` }

function toNumber(address: string): number | null {
  const parts = address.split('.')
  const isAddress = parts.length === 4 && parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
  return isAddress ? parts.reduce((sum, part) => sum * 256 + Number(part), 0) : null
}
