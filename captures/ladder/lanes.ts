// Which lanes a ladder gets that was made of a file, and in which order: behind a router stand its hosts, between two routers the
// WAN; without a router, who says most comes first. Beyond a bound the rest share a lane.
import { OTHERS, othersBehind, type LadderEntry, type LadderPacket, type Lane } from './ladder.js'
import type { SeenLane } from './seen-places.js'

export interface LaneChoice {
  readonly lanes: readonly Lane[]
  readonly entries: readonly LadderEntry[]
  /** Addresses that share a lane. */
  readonly folded: number
}

/** @param most lanes of hosts, at least 1; those that others share come on top */
export function chooseLanes(entries: readonly LadderEntry[], seen: ReadonlyMap<string, SeenLane>, most: number): LaneChoice {
  const talk = talkOf(entries)
  const used = [...talk.keys()].flatMap(name => seen.get(name) ?? [])
  const hosts = used.filter(lane => lane.isRouter !== true).sort((a, b) => (talk.get(b.name) ?? 0) - (talk.get(a.name) ?? 0))
  const kept = new Set(hosts.slice(0, hosts.length > most ? most : hosts.length)), left = hosts.filter(lane => !kept.has(lane))
  const homes = new Map(left.map(lane => [lane.name, othersBehind(lane.behind)]))
  // What stood for too many to have lanes at all is among them.
  const shared = [...new Map(left.map(lane => [lane.behind, { name: othersBehind(lane.behind), address: '', behind: lane.behind }])).values()]
  if (talk.has(OTHERS) && !shared.some(lane => lane.name === OTHERS)) shared.push({ name: OTHERS, address: '', behind: null })
  const counted = shared.map((lane): SeenLane => {
    const count = left.filter(each => each.behind === lane.behind).length
    return { ...lane, address: count === 0 ? '' : `${count} address${count === 1 ? '' : 'es'}` }
  })
  const routers = used.filter(lane => lane.isRouter)
  const lanes = routers.length === 0 ? [...kept, ...counted] : aroundRouters([...kept], counted, routers)
  return {
    lanes: lanes.map(({ name, address, isRouter }) => ({ name, address, ...isRouter === true ? { isRouter } : {} })),
    entries: left.length === 0 ? entries : entries.map(entry => entry.kind === 'step' ? entry : rehomed(entry, homes)), folded: left.length,
  }
}

/** Packets by lane. */
function talkOf(entries: readonly LadderEntry[]): Map<string, number> {
  const talk = new Map<string, number>()
  for (const entry of entries) {
    const names = entry.kind === 'step' ? [entry.lane] : [...entry.hops.flatMap(({ from, to }) => [from, to]), ...entry.drop === undefined ? [] : [entry.drop.lane]]
    for (const name of new Set(names)) talk.set(name, (talk.get(name) ?? 0) + (entry.kind === 'step' ? 0 : entry.count))
  }
  return talk
}

function aroundRouters(hosts: readonly SeenLane[], shared: readonly SeenLane[], routers: readonly SeenLane[]): SeenLane[] {
  const sorted = [...routers].sort(byName), half = Math.ceil(sorted.length / 2)
  const inside = (behind: string | null): SeenLane[] => {
    const mine = hosts.filter(lane => lane.behind === behind)
    // Hosts with a name of their own in its order, addresses as much as they say.
    return [...mine.filter(lane => lane.name !== lane.address).sort(byName), ...mine.filter(lane => lane.name === lane.address)]
  }
  const others = (behind: string | null): SeenLane[] => shared.filter(lane => lane.behind === behind)
  return [
    ...sorted.slice(0, half).flatMap(router => [...others(router.name), ...inside(router.name), router]),
    ...inside(null), ...others(null),
    ...sorted.slice(half).flatMap(router => [router, ...inside(router.name), ...others(router.name)]),
  ]
}

const byName = (a: Lane, b: Lane): number => a.name.localeCompare(b.name, 'en', { numeric: true })

/** Whose lane others share is named in the title. */
function rehomed(entry: LadderPacket, homes: ReadonlyMap<string, string>): LadderPacket {
  const { hops, title } = entry, [first] = hops, last = hops.at(-1)
  if (!hops.some(({ from, to }) => homes.has(from) || homes.has(to))) return entry
  const moved = hops.map(hop => ({ ...hop, from: homes.get(hop.from) ?? hop.from, to: homes.get(hop.to) ?? hop.to }))
  const [source] = first.addresses ?? ['', ''], [, destination] = last?.addresses ?? ['', '']
  const isSaid = title.includes(source) || title.includes(destination)
  return { ...entry, hops: moved, title: isSaid ? title : `${title}, ${source} → ${destination}` }
}
