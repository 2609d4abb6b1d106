// Where the interfaces of a capture are: on the two sides of a router, by their names (`104a-lan`, `104a-wan`, or just `lan` and
// `wan`) or because the same packets are on both with one end changed; or beside it, on a host. Judged by a capture's beginning.
import type { Ipv4Address } from '../../napt/wire/address.js'
import type { CaptureInterface } from '../files/pcapng/format.js'
import { addressesOf, changeBetween, contentKey, identification, isPrivate, timeToLive, type Copy, type Position } from './copy.js'
import { packetKey } from './correlate.js'
import type { Side } from './places.js'
import type { NamedHost } from './seen-places.js'

/** What a router is called that nobody named. */
export const UNNAMED_ROUTER = 'NAT'

export interface Layout {
  readonly routers: readonly string[]
  /** Routers of which both sides are there. */
  readonly whole: ReadonlySet<string>
  readonly hosts: readonly NamedHost[]
  /** How the router was found, where no name said so; or null. */
  readonly note: string | null
  readonly position: (copy: Copy) => Position
}

/** @param name what an interface is called; '' when nobody said */
export function layoutOf(interfaces: readonly CaptureInterface[], head: readonly Copy[], name: (of: CaptureInterface) => string): Layout {
  const named = new Map(interfaces.flatMap(each => {
    const position = routerSide(name(each))
    return position === null ? [] : [[each, position] as const]
  }))
  const found = named.size === 0 ? findRouter(head, name) : null
  const routers = found === null ? [...new Set([...named.values()].map(({ router }) => router))] : [UNNAMED_ROUTER]
  const sides = (router: string): number => new Set([...named.values()].filter(each => each.router === router).map(each => each.side)).size
  const position = (copy: Copy): Position => named.get(copy.packet.interface) ?? found?.position(copy) ?? beside(copy)
  return { routers, whole: new Set(routers.filter(router => found !== null || sides(router) === 2)), hosts: hostsOf(head, name, position), note: found?.note ?? null, position }
}

const beside = ({ packet }: Copy): Position => ({ router: null, id: packet.interface.id })

type RouterSide = Position & { readonly router: string }

function routerSide(name: string): RouterSide | null {
  const match = /^(?:(?<router>.+)[-_. ])?(?<side>lan|wan)$/i.exec(name)
  const { router = UNNAMED_ROUTER, side = '' } = match?.groups ?? {}
  return match === null ? null : { router, side: side.toLowerCase() === 'lan' ? 'lan' : 'wan' }
}

interface Found { readonly position: (copy: Copy) => Position | undefined, readonly note: string }

/** How long a router may keep a packet, nanoseconds; clocks of two machines may differ by as much. */
const LONGEST_WAY = 500_000_000n

/** The router whose two sides these interfaces, or this one alone, see; null where nothing was translated. */
function findRouter(head: readonly Copy[], name: (of: CaptureInterface) => string): Found | null {
  const votes = new Map<string, { readonly lan: CaptureInterface, readonly wan: CaptureInterface, count: number, readonly addresses: Set<Ipv4Address> }>()
  for (const { lan, wan, address } of translations(head)) {
    const key = `${lan.id} ${wan.id}`, vote = votes.get(key) ?? { lan, wan, count: 0, addresses: new Set() }
    vote.count++
    vote.addresses.add(address)
    votes.set(key, vote)
  }
  const most = [...votes.values()].sort((a, b) => b.count - a.count).at(0)
  if (most === undefined) return null
  const { lan, wan, addresses, count } = most
  const side = (copy: Copy): Side | undefined => {
    if (lan !== wan) return copy.packet.interface === lan ? 'lan' : copy.packet.interface === wan ? 'wan' : undefined
    const ends = copy.packet.interface === lan ? addressesOf(copy) : undefined
    return ends === undefined ? undefined : ends.some(address => addresses.has(address)) ? 'wan' : 'lan'
  }
  const called = (each: CaptureInterface, other: string): string => name(each) === '' ? other : name(each)
  const where = lan === wan ? `both on ${called(lan, 'one interface')}` : `its LAN on ${called(lan, `interface ${lan.id}`)}, its WAN on ${called(wan, `interface ${wan.id}`)}`
  return {
    position: copy => {
      const at = side(copy)
      return at === undefined ? undefined : { router: UNNAMED_ROUTER, side: at }
    },
    note: `${UNNAMED_ROUTER} was found by ${count} packet${count === 1 ? '' : 's'} that ${count === 1 ? 'is' : 'are'} there twice with one end changed: ${where}`,
  }
}

/** Pairs of copies of which one has another source or destination: where they were seen, and the address that the router gave. */
function * translations(head: readonly Copy[]): Generator<{ lan: CaptureInterface, wan: CaptureInterface, address: Ipv4Address }> {
  const waiting = new Map<string, Copy[]>()
  for (const copy of head) {
    const key = contentKey(copy), ends = addressesOf(copy)
    if (key === null || ends === undefined) continue
    const others = waiting.get(key) ?? []
    const at = others.findIndex(other => isTranslation(other, copy))
    if (at < 0) {
      waiting.set(key, [...others.slice(-7), copy])
      continue
    }
    const [other] = others.splice(at, 1)
    const [first, second] = timeToLive(other) < timeToLive(copy) ? [copy, other] : [other, copy]
    const [before, after] = [addressesOf(first), addressesOf(second)]
    if (before === undefined || after === undefined) continue
    const isOutbound = changeBetween(first, second) === 'source'
    // The clock of the second machine may be behind: a private address tells better what is the LAN.
    const changed = isOutbound ? [before[0], after[0]] as const : [after[1], before[1]] as const
    const isTurned = isPrivate(changed[1]) && !isPrivate(changed[0])
    const [lan, wan] = isOutbound === isTurned ? [second, first] : [first, second]
    yield { lan: lan.packet.interface, wan: wan.packet.interface, address: isTurned ? changed[0] : changed[1] }
  }
}

function isTranslation(a: Copy, b: Copy): boolean {
  const [aEnds, bEnds] = [addressesOf(a), addressesOf(b)], change = changeBetween(a, b)
  if (aEnds === undefined || bEnds === undefined || (change !== 'source' && change !== 'destination')) return false
  const at = change === 'source' ? 0 : 1
  if (aEnds[at] === bEnds[at] || b.packet.time - a.packet.time > LONGEST_WAY) return false
  // On one interface two hosts may ask the same of one server; what is one packet has one identification.
  return a.packet.interface !== b.packet.interface || (identification(a) !== 0 && identification(a) === identification(b) && timeToLive(a) !== timeToLive(b))
}

/** What systems call their interfaces says nothing of the host. */
const DEVICE = /^(any|lo\d*|.*@.*|(eth|en|wl|ww|br|veth|tap|tun|bond|team|usb|docker|virbr|vmnet|vnic|utun|bridge|igb|ixl|em|re|ppp|wg|dummy|ifb|macvlan|vlan)[a-z]*\d.*)$/i

/** Interfaces with a name of their own that all packets have one address of. */
function hostsOf(head: readonly Copy[], name: (of: CaptureInterface) => string, position: (copy: Copy) => Position): NamedHost[] {
  const counts = new Map<CaptureInterface, Map<Ipv4Address, number>>()
  const onLan = new Map<string, string>(), behind = new Map<CaptureInterface, string>()
  for (const copy of head) {
    const at = position(copy)
    if (at.router !== null && at.side === 'lan') onLan.set(packetKey(copy.frame), at.router)
  }
  for (const copy of head) {
    const { interface: from } = copy.packet
    if (position(copy).router !== null || name(from) === '' || DEVICE.test(name(from))) continue
    const count = counts.get(from) ?? new Map<Ipv4Address, number>()
    counts.set(from, count)
    for (const address of addressesOf(copy) ?? []) count.set(address, (count.get(address) ?? 0) + 1)
    const router = onLan.get(packetKey(copy.frame))
    if (router !== undefined) behind.set(from, router)
  }
  const hosts: NamedHost[] = []
  // Who spoke with one other alone may be either of the two: first those are told that can be, and then who is left.
  for (const left = new Map(counts); left.size > 0;) {
    const found = [...left].map(([from, count]) => {
      const most = Math.max(...count.values()), isBehind = behind.has(from)
      const common = [...count].filter(([address, times]) => times === most && !hosts.some(host => host.address === address && !isBehind)).map(([address]) => address)
      const own = isBehind ? common.filter(isPrivate) : common
      return { from, own: own.length > 0 ? own : common }
    }).find(({ own }) => own.length === 1)
    if (found === undefined) break
    left.delete(found.from)
    hosts.push({ name: name(found.from), address: found.own[0], behind: behind.get(found.from) ?? null })
  }
  return hosts
}
