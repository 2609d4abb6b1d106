// Holds a capture against a check. The capture is read once, and once more where packets are looked for on both sides of a router;
// then each entry of the check is judged in the order of the list, which is the order in which symbols are bound.
import { decode } from '../decode/decode.js'
import type { Difference } from '../regression/golden-compare.js'
import { causeOf } from '../regression/golden-compare.js'
import { faultCause } from '../regression/golden.js'
import type { PayloadDecoder } from '../decode/payload.js'
import { summarize, summarizeEnds } from '../decode/summary.js'
import { Copies } from './copies.js'
import { CheckFileError } from './read.js'
import { mismatches, rangeText, type Bindings, type Check, type Expectation, type Mismatch, type Pattern, type Surroundings } from './pattern.js'
import { Room, Search, type SeenPacket } from './search.js'
import type { CaptureSource } from './source.js'

/** What became of one entry of a check. */
export interface EntryReport {
  /** As in `expect[1]`. */
  readonly label: string
  /** As in `nat.yaml:14`. */
  readonly place: string
  readonly about: string
  readonly ok: boolean
  /** As in `1`, `at least 1`, `none`. */
  readonly wanted: string
  /** The frames that were found. */
  readonly frames: readonly number[]
  /** In the packets that were found, and in their copies on the other side. */
  readonly differences: readonly Difference[]
  /** In the packet that comes nearest to a missing one. */
  readonly nearest: readonly Difference[]
  /** What people need to know beside: what is missing and why that may be. */
  readonly remarks: readonly string[]
}

export interface CheckReport {
  readonly check: string
  /** `nothing compared` is no pass. */
  readonly result: 'held' | 'different' | 'nothing compared'
  readonly ok: boolean
  /** Packets that were held against an entry: those found under expect and their copies, those looked at under never. */
  readonly compared: number
  readonly entries: readonly EntryReport[]
  /** What ended a file before its end; none for whole files. */
  readonly damage: readonly string[]
}

/** @throws CheckFileError for a name that neither the check nor the capture knows; CaptureFileError when a file is no capture */
export async function checkCapture(check: Check, capture: CaptureSource, decoder: PayloadDecoder): Promise<CheckReport> {
  const room = new Room(), names = new Map<string, string[]>()
  const surroundings: Surroundings = { decoder, names }
  const searches = [...check.expect, ...check.never].map(pattern => new Search(pattern, surroundings, room))
  let place = 0
  const damage = await capture.read((name, packet) => {
    place++
    const decoded = decode(packet.bytes, packet.interface.linkType)
    for (const search of searches) search.offer(place, name, packet, decoded)
  }, (name, address) => { names.set(name, [...names.get(name) ?? [], address]) })
  demandNames(check, names)

  const copies = new Map<Expectation, Copies>()
  check.expect.forEach((expectation, at) => {
    const { translated } = expectation
    if (translated !== null) copies.set(expectation, new Copies(translated, searches[at].candidates, room))
  })
  if (copies.size > 0) {
    let again = 0
    await capture.read((name, packet) => {
      again++
      const decoded = decode(packet.bytes, packet.interface.linkType)
      for (const each of copies.values()) each.offer(again, name, packet, decoded)
    })
  }
  const judge = new Judge(check, surroundings, copies, capture.interfaces)
  const entries = judge.entries(searches)
  const isWhole = damage.length === 0
  const ok = entries.every(entry => entry.ok) && isWhole && judge.compared > 0
  const isNothing = judge.compared === 0 && entries.every(entry => entry.nearest.length === 0)
  return { check: check.name, result: isNothing ? 'nothing compared' : ok ? 'held' : 'different', ok, compared: judge.compared, entries, damage }
}

/** @throws CheckFileError for a name that nobody knows */
function demandNames({ expect, never }: Check, names: ReadonlyMap<string, unknown>): void {
  for (const pattern of [...expect, ...expect.flatMap(each => each.translated ?? []), ...never]) {
    for (const { wanted } of pattern.fields) {
      if (wanted.kind !== 'name' || names.has(wanted.name)) continue
      const known = names.size === 0 ? 'the capture holds no names' : `the capture holds ${[...names.keys()].join(', ')}`
      throw new CheckFileError(`${pattern.place}: ${pattern.label}: there is no name '${wanted.name}' (${known}). Put it under names.`)
    }
  }
}

class Judge {
  /** See CheckReport. */
  compared = 0
  readonly #check: Check
  readonly #surroundings: Surroundings
  readonly #copies: ReadonlyMap<Expectation, Copies>
  readonly #interfaces: readonly string[]
  readonly #bindings: Bindings = new Map()
  readonly #matched = new Set<number>()
  /** The first packet of the last entry that had one. */
  #previous: SeenPacket | null = null

  constructor(check: Check, surroundings: Surroundings, copies: ReadonlyMap<Expectation, Copies>, interfaces: readonly string[]) {
    this.#check = check
    this.#surroundings = surroundings
    this.#copies = copies
    this.#interfaces = interfaces
  }

  entries(searches: readonly Search[]): EntryReport[] {
    const { expect, never } = this.#check
    const judged = expect.map((expectation, at) => this.#expected(expectation, searches[at]))
    return [...judged.map(finish => finish()), ...never.map((pattern, at) => this.#never(pattern, searches[expect.length + at]))]
  }

  /** What comes nearest is told when it is known which packets the other entries found. */
  #expected(expectation: Expectation, search: Search): () => EntryReport {
    const previous = this.#previous
    const missed = (packet: SeenPacket, bindings: Bindings): Mismatch[] =>
      [...mismatches(expectation, packet, bindings, this.#surroundings), ...this.#timing(expectation, previous, packet)]
    const found = [...search.candidates].sort(inTime).filter(candidate => {
      const bindings = new Map(this.#bindings)
      if (missed(candidate, bindings).length > 0) return false
      this.#bind(bindings)
      return true
    })
    for (const { place } of found) this.#matched.add(place)
    if (found.length > 0) this.#previous = found[0]
    this.compared += found.length
    const differences: Difference[] = this.#check.verifiesChecksums ? found.flatMap(faultsIn) : [], remarks: string[] = []
    for (const original of found) this.#translated(expectation, original, differences, remarks)
    const { count } = expectation, bindings = new Map(this.#bindings)
    const isCount = found.length >= count.least && found.length <= count.most
    return () => {
      const nearest = found.length < count.least ? this.#nearest(search, found, packet => missed(packet, new Map(bindings))) : []
      if (found.length < count.least && nearest.length === 0) remarks.push(...this.#lacking(expectation, search))
      const ok = isCount && differences.length + remarks.length === 0
      return { ...this.#report(expectation, ok, rangeText(count), found, remarks), differences, nearest }
    }
  }

  #never(pattern: Pattern, search: Search): EntryReport {
    const found = search.candidates.filter(packet => mismatches(pattern, packet, new Map(this.#bindings), this.#surroundings).length === 0)
    this.compared += search.looked
    const lacks = pattern.at !== null && !this.#interfaces.includes(pattern.at)
    const remarks = lacks ? [this.#noInterface(pattern.at)] : found.slice(0, SHOWN).map(packet => `${packetText(packet)}${verdictOf(packet)}`)
    return this.#report(pattern, found.length === 0 && !lacks, 'none', found, remarks)
  }

  #report({ label, place, about }: Pattern, ok: boolean, wanted: string, found: readonly SeenPacket[], remarks: readonly string[]): EntryReport {
    return { label, place, about, ok, wanted, frames: found.map(({ frame }) => frame), differences: [], nearest: [], remarks }
  }

  #bind(bindings: Bindings): void { for (const [name, value] of bindings) this.#bindings.set(name, value) }

  #timing({ within }: Expectation, previous: SeenPacket | null, packet: SeenPacket): Mismatch[] {
    if (previous === null) return []
    const after = `after frame ${previous.frame}`
    const order = this.#check.ordered && inTime(previous, packet) >= 0 ? [{ field: 'order', wanted: after, got: `frame ${packet.frame}` }] : []
    const late = packet.time - previous.time
    if (within === null || (late >= 0n && late <= within)) return order
    return [...order, { field: 'time', wanted: `within ${duration(within)} ${after}`, got: late < 0n ? `${duration(-late)} before it` : `${duration(late)} after it` }]
  }

  #translated(expectation: Expectation, original: SeenPacket, differences: Difference[], remarks: string[]): void {
    const { translated } = expectation, copies = this.#copies.get(expectation)
    if (translated === null || copies === undefined) return
    const copy = copies.of(original)
    if (copy === null) {
      const at = translated.at ?? ''
      remarks.push(this.#interfaces.includes(at) ? `frame ${original.frame} did not come out at ${at}${verdictOf(original)}` : this.#noInterface(at))
      return
    }
    this.compared++
    this.#matched.add(copy.place)
    if (this.#check.verifiesChecksums) differences.push(...faultsIn(copy))
    const took = copy.time - original.time
    const late = translated.within === null || took <= translated.within ? []
      : [{ field: 'time', wanted: `within ${duration(translated.within)} after frame ${original.frame}`, got: `${duration(took)} after it` }]
    for (const mismatch of [...mismatches(translated, copy, this.#bindings, this.#surroundings), ...late]) differences.push(differenceOf(copy, mismatch))
  }

  /** The differences of the packet that comes nearest; empty when none does. One that no other entry is about comes before others. */
  #nearest(search: Search, found: readonly SeenPacket[], missed: (packet: SeenPacket) => Mismatch[]): Difference[] {
    let best: { readonly rank: number, readonly packet: SeenPacket, readonly missed: Mismatch[] } | null = null
    for (const packet of [...search.candidates.filter(each => !found.includes(each)).slice(0, LOOKED_AT), ...search.near]) {
      const missing = missed(packet)
      const rank = missing.length + (this.#matched.has(packet.place) ? OTHERS : 0) + (missing.some(({ field }) => field === 'interface') ? OTHER_INTERFACE : 0)
      if (missing.length > 0 && search.isNear(missing.length) && (best === null || rank < best.rank)) best = { rank, packet, missed: missing }
    }
    if (best === null) return []
    const { packet, missed: missing } = best
    return missing.map(mismatch => differenceOf(packet, mismatch))
  }

  /** Why nothing comes near. */
  #lacking({ at, packet }: Pattern, { looked, candidates }: Search): string[] {
    if (at !== null && !this.#interfaces.includes(at)) return [this.#noInterface(at)]
    if (candidates.length > 0) return []
    const where = at ?? 'the capture'
    return [looked === 0 ? `${where} has not one packet: was the capture made while the program ran?` : `${where} has ${looked} packets, and none that comes near: was it sent at all, and over ${packet}?`]
  }

  #noInterface(name: string | null): string {
    const known = this.#interfaces.length === 0 ? 'it has none' : `it has ${this.#interfaces.map(each => each === '' ? 'one without a name' : each).join(', ')}`
    return `the capture has no interface ${name ?? ''} (${known})`
  }
}

/** Files of several interfaces are read one after another. */
const inTime = (a: SeenPacket, b: SeenPacket): number => a.time === b.time ? a.place - b.place : a.time < b.time ? -1 : 1

/** Ranks of near misses, in differences. */
const OTHERS = 100, OTHER_INTERFACE = 0.5
/** How many packets are shown that ought not to be there, and how many are weighed that might be the right one. */
const SHOWN = 10, LOOKED_AT = 1000

const faultsIn = (packet: SeenPacket): Difference[] =>
  packet.faults.map(fault => ({ ...differenceOf(packet, fault), cause: faultCause(fault) }))

function differenceOf(packet: SeenPacket, { field, wanted, got }: Mismatch): Difference {
  const { interface: name, frame, decoded } = packet
  return { interface: name, frame, packet: summarize(decoded), flow: summarizeEnds(decoded), field, wanted, got, cause: CAUSES[field] ?? causeOf(field.slice(field.indexOf('.') + 1)), again: 0 }
}

const CAUSES: Readonly<Record<string, string | undefined>> = {
  interface: 'the packet takes another way than the check says, or the interfaces have other names in it',
  time: 'something waited longer than it should: a timer, a lost packet that was sent again, or a busy machine',
  message: 'another message was sent, or its type was changed on the way',
}

const packetText = ({ interface: name, frame, decoded }: SeenPacket): string => `${name === '' ? '' : `${name}, `}frame ${frame}: ${summarize(decoded)}`

/** What the router itself says of the packet, where the capture has that as its comment. */
const verdictOf = ({ comment }: SeenPacket): string => comment === '' ? '' : `; the capture says of it: ${comment.split('\n').map(line => line.trim()).join('; ')}`

function duration(nanoseconds: bigint): string {
  const time = Number(nanoseconds)
  const { unit, size } = DURATIONS.find(each => time >= each.size) ?? { unit: 'ns', size: 1 }
  return `${Number((time / size).toPrecision(4))} ${unit}`
}

const DURATIONS = [{ unit: 's', size: 1e9 }, { unit: 'ms', size: 1e6 }, { unit: 'µs', size: 1e3 }]
