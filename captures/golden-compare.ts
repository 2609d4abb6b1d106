// Compares the flows of one interface with a golden's: pairs flows, then the entries of each pair of flows, and says of every
// difference what was wanted, what came and what most likely lies behind it.
import { comparedFields, turn, type Entry, type Flow, type Value } from './entries.js'

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

export interface Comparison {
  /** Entries that stand on both sides. */
  readonly compared: number
  readonly differences: readonly Difference[]
  readonly missing: readonly Unpaired[]
  readonly unexpected: readonly Unpaired[]
}

interface Placed { readonly flow: Flow, readonly entry: Entry, readonly place: number }
interface Pair { readonly wanted: Placed, readonly got: Placed }
interface Alignment { readonly pairs: Pair[], readonly missing: Placed[], readonly unexpected: Placed[] }

/** Both sides with their `any` values numbered (bindings.ts). */
export function compareFlows(name: string, wanted: readonly Flow[], got: readonly Flow[]): Comparison {
  const left = [...got]
  const all: Alignment = { pairs: [], missing: [], unexpected: [] }
  for (const flow of wanted) {
    const at = left.findIndex(each => flowText(each) === flowText(flow) || flowText(turn(each)) === flowText(flow))
    const found = at < 0 ? undefined : left.splice(at, 1)[0]
    // Without its first packet a flow seems to begin at its other end.
    const match = found === undefined || flowText(found) === flowText(flow) ? found : turn(found)
    const part = match === undefined ? { pairs: [], missing: placed(flow), unexpected: [] } : align(placed(flow), placed(match))
    all.pairs.push(...part.pairs)
    all.missing.push(...part.missing)
    all.unexpected.push(...part.unexpected)
  }
  all.unexpected.push(...left.flatMap(placed))

  const moved = takePairs(all, (a, b) => keyOf(a) === keyOf(b) ? 0 : null)
  const changed = takePairs(all, differingEnds)
  const differences = [...all.pairs, ...changed].flatMap(pair => differencesOf(name, pair))
  const unpaired = ({ flow, entry }: Placed): Omit<Unpaired, 'frame'> => ({ interface: name, flow: flowText(flow), packet: labelOf(entry) })
  return {
    compared: all.pairs.length + moved.length + changed.length,
    differences: fold([...differences, ...moved.map(pair => orderDifference(name, pair))]),
    missing: all.missing.map(each => ({ ...unpaired(each), frame: null })),
    unexpected: all.unexpected.map(each => ({ ...unpaired(each), frame: each.entry.frame })),
  }
}

const placed = (flow: Flow): Placed[] => flow.entries.map((entry, at) => ({ flow, entry, place: at + 1 }))
const labelOf = (entry: Entry): string => `${entry.way} ${entry.packet}`

/** A value for people; `any 1` is the first of those that differ from run to run. */
const valueText = (value: Value): string => typeof value === 'object' ? `any ${value.any}` : String(value)

/** As in `tcp 192.168.1.11:1500 – 130.74.23.6:1201`. */
const flowText = ({ protocol, SA, SP, DA, DP }: Flow): string => `${protocol} ${SA}:${valueText(SP)} – ${DA}:${valueText(DP)}`

const keyOf = ({ flow, entry }: Placed): string => JSON.stringify([...comparedFields(flow, entry)].sort(([a], [b]) => a < b ? -1 : 1))

/** Another packet costs as much as one missing and one unexpected, a changed one a little more than either. */
const UNPAIRED = 1, CHANGED = 1.1

/** The table of an edit distance above this many cells is not worth its memory: so different a flow pairs by place. */
const LARGEST_TABLE = 4_000_000

/** Entries pair in order, as equal as possible at the smallest cost; what is equal at both ends needs no search. */
function align(wanted: readonly Placed[], got: readonly Placed[]): Alignment {
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
  const equal = (at: number, shift: number): Pair => ({ wanted: wanted[at], got: got[at + shift] })
  const same = [...range(head, at => equal(at, 0)), ...range(tail, at => equal(wanted.length - tail + at, got.length - wanted.length))]
  return { ...result, pairs: [...same, ...result.pairs] }
}

const range = <T>(length: number, value: (at: number) => T): T[] => Array.from({ length }, (_, at) => value(at))

function alignByPlace(wanted: readonly Placed[], got: readonly Placed[]): Alignment {
  const shorter = Math.min(wanted.length, got.length)
  return { pairs: range(shorter, at => ({ wanted: wanted[at], got: got[at] })), missing: wanted.slice(shorter), unexpected: got.slice(shorter) }
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

/** Pairs what is left on both sides, nearest first by `distance` (null: not at all), and takes it out of `from`. */
function takePairs(from: Alignment, distance: (wanted: Placed, got: Placed) => number | null): Pair[] {
  const taken: Pair[] = []
  for (const wanted of [...from.missing]) {
    let best: { got: Placed, far: number } | null = null
    for (const got of from.unexpected) {
      const far = distance(wanted, got)
      if (far !== null && (best === null || far < best.far)) best = { got, far }
    }
    if (best === null) continue
    taken.push({ wanted, got: best.got })
    from.missing.splice(from.missing.indexOf(wanted), 1)
    from.unexpected.splice(from.unexpected.indexOf(best.got), 1)
  }
  return taken
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
    return { interface: name, frame: got.entry.frame, flow: flowText(wanted.flow), packet: labelOf(got.entry), field, wanted: a, got: b, cause: causeOf(field), again: 0 }
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
    interface: name, frame: got.entry.frame, flow: flowText(wanted.flow), packet: labelOf(got.entry), field: 'order',
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
