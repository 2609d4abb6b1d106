// Goldens: what the packets of a run must be, recorded from a good run and checked against later ones.
import { canonicalize, type CanonicalInterface, type CanonicalOptions, type Fault } from '../canonical/canonical.js'
import { renumber } from '../canonical/bindings.js'
import { compareDigests, packetsOf } from './digest-compare.js'
import { compareFlows, type ComparedFlow, type Difference, type Unpaired } from './golden-compare.js'
import type { Flow } from '../canonical/entries.js'
import type { CaptureFileError } from '../files/pcap.js'
import type { Capture } from '../files/read-capture.js'
import type { PayloadDecoder } from '../decode/payload.js'
import { NO_KEYS, type KeySource } from '../tls/key-log.js'

export interface Golden {
  /** The run that it is of, such as `fig2`. */
  readonly name: string
  /** See CanonicalOptions; a check uses what the golden was recorded with. */
  readonly ports: readonly number[]
  readonly periodic: readonly string[]
  readonly bothWays: readonly number[]
  readonly interfaces: ReadonlyMap<string, readonly Flow[]>
  /** A large one: its flows have digests and no entries. */
  readonly digests?: boolean
}

/** A golden that cannot be recorded, or a file that is none. */
export class GoldenError extends Error { override readonly name = 'GoldenError' }

/** What recording the run of Fig. 2 takes: 201 comes from a timer, and S209 (4.17.168.2:5000 = 192.168.1.11:1600) runs both ways. */
export const FIG2_GOLDEN = { periodic: ['201'], bothWays: [5000, 1600] } as const

/** The same for relayed connections: 31, what runs through the server (ports 1201 and 1300), and the direct connection of the hybrid run. */
export const RELAY_GOLDEN = { periodic: ['31'], bothWays: [1201, 1300, 1601] } as const

export interface GoldenOptions extends CanonicalOptions { readonly name: string }

export interface GoldenReport {
  readonly golden: string
  /** `no golden` and `nothing compared` are not passes. */
  readonly result: 'equal' | 'different' | 'nothing compared' | 'no golden'
  readonly ok: boolean
  /** Packets and events that stood on both sides. */
  readonly compared: number
  /** Where they stood: every flow that either side has, by interface. */
  readonly flows: readonly ComparedFlow[]
  readonly differences: readonly Difference[]
  readonly missing: readonly Unpaired[]
  readonly unexpected: readonly Unpaired[]
  /** Interfaces of the golden of which there was no capture. */
  readonly uncaptured: readonly string[]
  /** Frames that were not compared, by interface and kind. */
  readonly ignored: ReadonlyMap<string, Readonly<Record<string, number>>>
  /** How many TLS connections stayed encrypted, and why; null for none. */
  readonly sealed: { readonly connections: number, readonly why: string } | null
}

/**
 * @throws GoldenError when a capture is damaged or holds a wrong frame, because what is recorded would be demanded from then on,
 * and when there is nothing to record
 */
export const recordGolden = (captures: ReadonlyMap<string, Capture>, options: GoldenOptions): Golden =>
  recordCanonical(canonicalizeAll(captures, options), options)

/** The same from canonical forms, which were made with these options. */
export function recordCanonical(canonical: ReadonlyMap<string, CanonicalInterface>, options: GoldenOptions): Golden {
  for (const [name, { faults, sealed, damage }] of canonical) {
    if (damage) throw new GoldenError(`no golden was recorded: ${damage.message}`)
    if (faults.length > 0) {
      const { frame, field, wanted, got } = faults[0]
      throw new GoldenError(`no golden was recorded: ${name}, frame ${frame}: ${field}: wanted ${wanted}, got ${got} (likely: ${faultCause(faults[0])})`)
    }
    if (sealed > 0) throw new GoldenError(`no golden was recorded: ${name} has ${sealed} TLS connections that stayed encrypted (${(options.keys ?? NO_KEYS).lack}). Give the run's key log.`)
  }
  const interfaces = renumber(flowsOf(canonical))
  if (entriesOf(interfaces) === 0) throw new GoldenError('no golden was recorded: the captures hold no IPv4 packet. Give the captures of a whole run.')
  return { name: options.name, ports: options.ports ?? [], periodic: options.periodic ?? [], bothWays: options.bothWays ?? [], interfaces, ...(options.digests === true ? { digests: true } : {}) }
}

export interface GoldenCheckOptions {
  readonly decoder: PayloadDecoder
  /** Open the records of TLS connections. */
  readonly keys?: KeySource
  /** True: interfaces of the golden without a capture do not count against the report. */
  readonly partial?: boolean
}

/** Compares captures, by interface, with a golden; `null` stands for one that does not exist (`name` says which). */
export function checkGolden(captures: ReadonlyMap<string, Capture>, golden: Golden | null, { decoder, keys = NO_KEYS, partial = false }: GoldenCheckOptions, name = golden?.name ?? ''): GoldenReport {
  return golden === null ? noGolden(name) : checkCanonical(canonicalizeAll(captures, { ...golden, decoder, keys }), golden, { keys, partial })
}

/** The report on a golden that does not exist. */
export const noGolden = (golden: string): GoldenReport =>
  ({ golden, result: 'no golden', ok: false, compared: 0, flows: [], differences: [], missing: [], unexpected: [], uncaptured: [], ignored: new Map(), sealed: null })

/** Compares canonical forms, which were made with the golden's options, with the golden. */
export function checkCanonical(canonical: ReadonlyMap<string, CanonicalInterface>, golden: Golden, { keys = NO_KEYS, partial = false }: Omit<GoldenCheckOptions, 'decoder'> = {}): GoldenReport {
  const got = renumber(flowsOf(canonical))
  const wanted = renumber(new Map([...got.keys()].map(each => [each, golden.interfaces.get(each) ?? []])))
  const uncaptured = [...golden.interfaces.keys()].filter(each => !canonical.has(each))
  const compare = golden.digests === true ? compareDigests : compareFlows
  const parts = [...got].map(([each, flows]) => compare(each, wanted.get(each) ?? [], flows))
  const different = parts.flatMap(part => part.differences)
  const differences = [...brokenFrames(canonical), ...different]
  const missing = parts.flatMap(part => part.missing), unexpected = parts.flatMap(part => part.unexpected)
  const compared = parts.reduce((sum, part) => sum + part.compared, 0)
  const equal = differences.length + missing.length + unexpected.length === 0 && (partial || uncaptured.length === 0)
  const result = compared === 0 && different.length + missing.length + unexpected.length === 0 ? 'nothing compared' : equal ? 'equal' : 'different'
  const sealed = [...canonical.values()].reduce((sum, each) => sum + each.sealed, 0)
  return {
    golden: golden.name, result, ok: result === 'equal', compared, flows: parts.flatMap(part => part.flows), differences, missing, unexpected, uncaptured,
    ignored: new Map([...canonical].map(([each, { ignored }]) => [each, ignored])),
    sealed: sealed === 0 ? null : { connections: sealed, why: keys.lack },
  }
}

const canonicalizeAll = (captures: ReadonlyMap<string, Capture>, options: CanonicalOptions): Map<string, CanonicalInterface> =>
  new Map([...captures].map(([name, { packets, damage }]) => [name, { ...canonicalize(packets, options), packets: packets.length, damage }]))

/** In the order of the interfaces' names, which numbering depends on. */
export const flowsOf = (canonical: ReadonlyMap<string, CanonicalInterface>): Map<string, readonly Flow[]> =>
  new Map([...canonical].sort(([a], [b]) => a < b ? -1 : 1).map(([name, { flows }]) => [name, flows]))

export const entriesOf = (interfaces: ReadonlyMap<string, readonly Flow[]>): number =>
  [...interfaces.values()].flat().reduce((sum, flow) => sum + packetsOf(flow), 0)

export function faultCause({ field, got }: Fault): string {
  if (got === 'partial') return 'the capture was made before the card finished the checksum: switch offloads off (ethtool -K … tx off) or complete it'
  if (field === 'length') return 'the capture kept only the beginning of the frame: capture with a larger snapshot length'
  if (field === 'TLS') return 'the bytes of the connection were changed on the way, or are missing from the capture'
  return field.endsWith('checksum') ? 'the packet was changed without its checksum' : 'the frame was damaged, or cut by the capture'
}

/** Frames that are wrong in themselves, and where a capture breaks off; several interfaces of one file do so together. */
function brokenFrames(canonical: ReadonlyMap<string, CanonicalInterface>): Difference[] {
  const told = new Set<CaptureFileError>()
  return [...canonical].flatMap(([name, { faults, damage, packets }]) => {
    const broken = faults.map((fault): Difference => ({ interface: name, packet: '', flow: '', again: 0, cause: faultCause(fault), ...fault }))
    if (damage === null || told.has(damage)) return broken
    told.add(damage)
    return [...broken, {
      interface: name, frame: packets + 1, packet: '', flow: '', again: 0,
      field: `byte ${damage.offset}`, wanted: 'a whole record', got: damage.found, cause: damage.advice,
    }]
  })
}
