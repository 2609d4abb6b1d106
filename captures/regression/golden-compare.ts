// Compares the flows of one interface with a golden's: pairs flows, then the entries of each pair of flows, and says of every
// difference what was wanted, what came and what most likely lies behind it.
import { comparedFields, turn, type Entry, type Flow, type Value } from '../canonical/entries.js'

export interface Difference {
  readonly interface: string
  /** The frame in the capture; null where the capture has none. */
  readonly frame: number | null
  /** As in `→ 201 equipment registration`; empty, as `flow`, for a frame that is wrong in itself. */
  readonly packet: string
  readonly flow: string
  readonly field: string
  readonly wanted: string
  readonly got: string
  readonly cause: string
  /** How many further packets differ in just the same way. */
  readonly again: number
}

/** A packet that one of the two has and the other has not. `frame` is null for a missing one. */
export interface Unpaired { readonly interface: string, readonly frame: number | null, readonly flow: string, readonly packet: string }

/** A flow of a golden, or one that it has not, and how many entries were compared in it. */
export interface ComparedFlow { readonly interface: string, readonly flow: string, readonly compared: number }

export interface Comparison {
  /** Entries that stand on both sides. */
  readonly compared: number
  readonly flows: readonly ComparedFlow[]
  readonly differences: readonly Difference[]
  readonly missing: readonly Unpaired[]
  readonly unexpected: readonly Unpaired[]
}

interface Placed { readonly flow: Flow, readonly entry: Entry, readonly place: number }
interface Pair { readonly wanted: Placed, readonly got: Placed }
interface Alignment { readonly pairs: Pair[], missing: Placed[], unexpected: Placed[] }
/** `pairs` without those that are equal, which are only counted. */
interface FlowAlignment extends Alignment { readonly equal: number }

/** Both sides with their `any` values numbered (bindings.ts). */
export function compareFlows(name: string, wanted: readonly Flow[], got: readonly Flow[]): Comparison {
  const left = new FlowsByEnds(got)
  const parts = wanted.map((flow): FlowAlignment => {
    const match = left.take(flow)
    return match === undefined ? { equal: 0, pairs: [], missing: placed(flow), unexpected: [] } : align(placed(flow), placed(match))
  })
  const rest = left.rest()
  const all: Alignment = {
    pairs: parts.flatMap(part => part.pairs), missing: parts.flatMap(part => part.missing),
    unexpected: [...parts.flatMap(part => part.unexpected), ...rest.flatMap(placed)],
  }
  const moved = takeEqual(all)
  const pairs = [...all.pairs, ...takeSimilar(all)]
  const differences = pairs.flatMap(pair => differencesOf(name, pair))
  const unpaired = ({ flow, entry }: Placed): Omit<Unpaired, 'frame'> => ({ interface: name, flow: flowText(flow), packet: labelOf(entry) })
  const counts = new Map([...wanted, ...rest].map(flow => [flowText(flow), 0]))
  const count = (flow: Flow, more: number): unknown => counts.set(flowText(flow), (counts.get(flowText(flow)) ?? 0) + more)
  for (const [at, { equal }] of parts.entries()) count(wanted[at], equal)
  for (const pair of [...pairs, ...moved]) count(pair.wanted.flow, 1)
  return {
    compared: [...counts.values()].reduce((sum, each) => sum + each, 0),
    flows: [...counts].map(([flow, compared]) => ({ interface: name, flow, compared })),
    differences: fold([...differences, ...moved.map(pair => orderDifference(name, pair))]),
    missing: all.missing.map(each => ({ ...unpaired(each), frame: null })),
    unexpected: all.unexpected.map(each => ({ ...unpaired(each), frame: frameOf(each.entry) })),
  }
}

/** Flows to be found by their ends, in their order. */
export class FlowsByEnds {
  readonly #flows = new Map<string, Flow[]>()

  constructor(flows: readonly Flow[]) { for (const flow of flows) this.#listOf(flowText(flow)).push(flow) }

  /** The first that is left between these ends. Without its first packet a flow seems to begin at its other end: then it is turned. */
  take(wanted: Flow): Flow | undefined {
    const same = this.#listOf(flowText(wanted)).shift()
    if (same !== undefined) return same
    const turned = this.#listOf(flowText({ ...wanted, SA: wanted.DA, SP: wanted.DP, DA: wanted.SA, DP: wanted.SP })).shift()
    return turned === undefined ? undefined : turn(turned)
  }

  rest(): Flow[] { return [...this.#flows.values()].flat() }

  #listOf(ends: string): Flow[] {
    const known = this.#flows.get(ends) ?? []
    this.#flows.set(ends, known)
    return known
  }
}

/** A golden has no frames. */
const frameOf = ({ frame }: Entry): number | null => frame === 0 ? null : frame

const placed = (flow: Flow): Placed[] => flow.entries.map((entry, at) => ({ flow, entry, place: at + 1 }))
const labelOf = (entry: Entry): string => `${entry.way} ${entry.packet}`

/** A value for people; `any 1` is the first of those that differ from run to run. */
const valueText = (value: Value): string => typeof value === 'object' ? `any ${value.any}` : String(value)

/** As in `tcp 192.168.1.11:1500 – 130.74.23.6:1201`. */
export const flowText = ({ protocol, SA, SP, DA, DP }: Flow): string => `${protocol} ${SA}:${valueText(SP)} – ${DA}:${valueText(DP)}`

const keyOf = ({ flow, entry }: Placed): string => JSON.stringify([...comparedFields(flow, entry)].sort(([a], [b]) => a < b ? -1 : 1))

/** Another packet costs as much as one missing and one unexpected, a changed one a little more than either. */
const UNPAIRED = 1, CHANGED = 1.1

/** The table of an edit distance above this many cells is not worth its memory: so different a flow pairs by place. */
const LARGEST_TABLE = 4_000_000

/** Entries pair in order, as equal as possible at the smallest cost; what is equal at both ends needs no search. */
function align(wanted: readonly Placed[], got: readonly Placed[]): FlowAlignment {
  const wantedKeys = wanted.map(keyOf), gotKeys = got.map(keyOf)
  const shorter = Math.min(wanted.length, got.length)
  let head = 0, tail = 0
  while (head < shorter && wantedKeys[head] === gotKeys[head]) head++
  while (tail < shorter - head && wantedKeys[wanted.length - 1 - tail] === gotKeys[got.length - 1 - tail]) tail++
  const rows = wanted.length - head - tail, columns = got.length - head - tail
  const middle = rows * columns > LARGEST_TABLE ? alignByPlace : alignByCost
  const cost = (i: number, j: number): number =>
    wantedKeys[head + i] === gotKeys[head + j] ? 0 : isSimilar(wanted[head + i].entry, got[head + j].entry) ? CHANGED : Infinity
  const result = middle(wanted.slice(head, head + rows), got.slice(head, head + columns), cost)
  const pairs = result.pairs.filter(pair => wantedKeys[pair.wanted.place - 1] !== gotKeys[pair.got.place - 1])
  return { ...result, equal: head + tail + result.pairs.length - pairs.length, pairs }
}

function alignByPlace(wanted: readonly Placed[], got: readonly Placed[]): Alignment {
  const shorter = Math.min(wanted.length, got.length)
  return { pairs: Array.from({ length: shorter }, (_, at) => ({ wanted: wanted[at], got: got[at] })), missing: wanted.slice(shorter), unexpected: got.slice(shorter) }
}

/** The edit distance; `cost` is that of pairing two entries. */
function alignByCost(wanted: readonly Placed[], got: readonly Placed[], cost: (i: number, j: number) => number): Alignment {
  const width = got.length + 1
  const table = new Float64Array((wanted.length + 1) * width) // the cost of what begins at i and j
  const paired = (i: number, j: number): number => cost(i, j) + table[(i + 1) * width + j + 1]
  const missing = (i: number, j: number): number => UNPAIRED + table[(i + 1) * width + j]
  const unexpected = (i: number, j: number): number => UNPAIRED + table[i * width + j + 1]
  for (let i = wanted.length; i >= 0; i--) {
    for (let j = got.length; j >= 0; j--) {
      if (i === wanted.length) table[i * width + j] = (got.length - j) * UNPAIRED
      else if (j === got.length) table[i * width + j] = (wanted.length - i) * UNPAIRED
      else table[i * width + j] = Math.min(paired(i, j), missing(i, j), unexpected(i, j))
    }
  }
  const result: Alignment = { pairs: [], missing: [], unexpected: [] }
  for (let i = 0, j = 0; i < wanted.length || j < got.length;) {
    const here = table[i * width + j]
    if (i < wanted.length && j < got.length && here === paired(i, j)) result.pairs.push({ wanted: wanted[i++], got: got[j++] })
    else if (i < wanted.length && here === missing(i, j)) result.missing.push(wanted[i++])
    else result.unexpected.push(got[j++])
  }
  return result
}

/** Worth naming field by field: the same packet, or another payload going the same way. */
const isSimilar = (a: Entry, b: Entry): boolean => a.way === b.way && (a.packet === b.packet || (a.bytes !== '' && b.bytes !== ''))

/** Equal entries that are left on both sides, in another place or flow: takes them out of `from`. */
function takeEqual(from: Alignment): Pair[] {
  const byKey = new Map<string, Placed[]>()
  for (const got of from.unexpected) {
    const key = keyOf(got), alike = byKey.get(key)
    if (alike === undefined) byKey.set(key, [got])
    else alike.push(got)
  }
  return take(from, wanted => byKey.get(keyOf(wanted))?.shift())
}

/** More candidates for every packet that is left are not looked at: then they are told as missing and unexpected. */
const MOST_CANDIDATES = 1000

/** The same packet between other ends, nearest first: takes both out of `from`. */
function takeSimilar(from: Alignment): Pair[] {
  if (from.unexpected.length > MOST_CANDIDATES || from.missing.length > MOST_CANDIDATES) return []
  const left = new Set(from.unexpected)
  return take(from, wanted => {
    let best: { got: Placed, far: number } | undefined
    for (const got of left) {
      const far = differingEnds(wanted, got)
      if (far !== null && (best === undefined || far < best.far)) best = { got, far }
    }
    if (best !== undefined) left.delete(best.got)
    return best?.got
  })
}

function take(from: Alignment, partner: (wanted: Placed) => Placed | undefined): Pair[] {
  const pairs = from.missing.flatMap(wanted => {
    const got = partner(wanted)
    return got === undefined ? [] : [{ wanted, got }]
  })
  const taken = new Set(pairs.flatMap(pair => [pair.wanted, pair.got]))
  from.missing = from.missing.filter(each => !taken.has(each))
  from.unexpected = from.unexpected.filter(each => !taken.has(each))
  return pairs
}

/** The same packet between other ends: at most three fields differ. */
function differingEnds(wanted: Placed, got: Placed): number | null {
  if (wanted.entry.packet !== got.entry.packet) return null
  const count = fieldDifferences(wanted, got).length
  return count <= 3 ? count : null
}

function fieldDifferences(wanted: Placed, got: Placed): { field: string, wanted: Value, got: Value }[] {
  const before = comparedFields(wanted.flow, wanted.entry), after = comparedFields(got.flow, got.entry)
  const differing = [...new Set([...before.keys(), ...after.keys()])]
    .map(field => ({ field, wanted: before.get(field) ?? 0, got: after.get(field) ?? 0 }))
    .filter(each => JSON.stringify(each.wanted) !== JSON.stringify(each.got))
  const isPayload = (field: string): boolean => field in wanted.entry.payload || field in got.entry.payload
  // Another packet has other fields altogether, and a field that differs shows in the bytes too: each is told once.
  if (wanted.entry.packet !== got.entry.packet) return differing.filter(each => !isPayload(each.field))
  return differing.some(each => isPayload(each.field)) ? differing.filter(each => each.field !== 'bytes') : differing
}

function differencesOf(name: string, { wanted, got }: Pair): Difference[] {
  return fieldDifferences(wanted, got).map(({ field, wanted: before, got: after }) => {
    const [a, b] = field === 'bytes' ? byteTexts(valueText(before), valueText(after)) : [valueText(before), valueText(after)]
    return { interface: name, frame: frameOf(got.entry), flow: flowText(wanted.flow), packet: labelOf(got.entry), field, wanted: a, got: b, cause: causeOf(field), again: 0 }
  })
}

const HEX = /^([0-9a-f]{2}|\.\.)+$/

/** The first byte that differs, where both are readable as hexadecimal. */
function byteTexts(wanted: string, got: string): [string, string] {
  if (!HEX.test(wanted) || !HEX.test(got)) return [wanted, got]
  for (let at = 0; at < Math.min(wanted.length, got.length); at += 2) {
    const a = wanted.slice(at, at + 2), b = got.slice(at, at + 2)
    if (a !== b) return [`${a} at byte ${at / 2}`, `${b} at byte ${at / 2}`]
  }
  return [`${wanted.length / 2} bytes`, `${got.length / 2} bytes`]
}

function orderDifference(name: string, { wanted, got }: Pair): Difference {
  return {
    interface: name, frame: frameOf(got.entry), flow: flowText(wanted.flow), packet: labelOf(got.entry), field: 'order',
    wanted: `place ${wanted.place} of its flow`, got: `place ${got.place} of its flow`, cause: causeOf('order'), again: 0,
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  SA: 'the translation of the source, or the bench\'s addresses',
  DA: 'the translation of the destination, or the bench\'s addresses',
  SP: 'the router\'s port allocation, or the port that the program was told to use',
  DP: 'the router\'s table or static mapping, or the port that the program was told to use',
  TTL: 'one router more or less on the way, or another default of the sender',
  DF: 'another setting of path MTU discovery at the sender',
  TOS: 'a router or a program that sets the type of service',
  checksum: 'a sender that leaves the UDP checksum out',
  order: 'the steps ran in another order, or the network swapped packets',
  packet: 'another message was sent, or its type was changed on the way',
  bytes: 'the sender wrote something else, or the payload was changed on the way',
}

export const causeOf = (field: string): string => CAUSES[field] ?? 'the program was given another value, or the payload was changed on the way'

/** The same difference on many packets is told once. */
function fold(differences: readonly Difference[]): Difference[] {
  const folded = new Map<string, Difference>()
  for (const each of differences) {
    const key = JSON.stringify([each.flow, each.packet[0], each.field, each.wanted, each.got])
    const first = folded.get(key)
    folded.set(key, first === undefined ? each : { ...first, again: first.again + 1 })
  }
  return [...folded.values()]
}
