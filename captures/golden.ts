// Goldens: what the packets of a run must be, recorded from a good run and checked against later ones.
import { canonicalize, type CanonicalCapture, type CanonicalOptions, type Fault } from './canonical.js'
import { renumber } from './bindings.js'
import { compareFlows, type Difference, type Unpaired } from './golden-compare.js'
import type { Flow } from './entries.js'
import type { Capture } from './pcap-reader.js'
import type { PayloadDecoder } from './payload.js'
import { NO_KEYS, type KeySource } from './tls/key-log.js'

export interface Golden {
  /** The run that it is of, such as `fig2`. */
  readonly name: string
  /** See CanonicalOptions; a check uses what the golden was recorded with. */
  readonly ports: readonly number[]
  readonly periodic: readonly string[]
  readonly bothWays: readonly number[]
  readonly interfaces: ReadonlyMap<string, readonly Flow[]>
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
export function recordGolden(captures: ReadonlyMap<string, Capture>, options: GoldenOptions): Golden {
  const canonical = canonicalizeAll(captures, options)
  for (const [name, { faults, sealed }] of canonical) {
    const damage = captures.get(name)?.damage
    if (damage) throw new GoldenError(`no golden was recorded: ${damage.message}`)
    if (faults.length > 0) {
      const { frame, field, wanted, got } = faults[0]
      throw new GoldenError(`no golden was recorded: ${name}, frame ${frame}: ${field}: wanted ${wanted}, got ${got} (likely: ${faultCause(faults[0])})`)
    }
    if (sealed > 0) throw new GoldenError(`no golden was recorded: ${name} has ${sealed} TLS connections that stayed encrypted (${(options.keys ?? NO_KEYS).lack}). Give the run's key log.`)
  }
  const interfaces = renumber(flowsOf(canonical))
  if (entriesOf(interfaces) === 0) throw new GoldenError('no golden was recorded: the captures hold no IPv4 packet. Give the captures of a whole run.')
  return { name: options.name, ports: options.ports ?? [], periodic: options.periodic ?? [], bothWays: options.bothWays ?? [], interfaces }
}

export interface GoldenCheckOptions {
  readonly decoder: PayloadDecoder
  /** Open the records of TLS connections. */
  readonly keys?: KeySource
  /** True: interfaces of the golden without a capture do not count against the report. */
  readonly partial?: boolean
}

/** Compares captures, by interface, with a golden; `null` stands for one that does not exist (`name` says which). */
export function checkGolden(captures: ReadonlyMap<string, Capture>, golden: Golden | null, { decoder, keys = NO_KEYS, partial }: GoldenCheckOptions, name = golden?.name ?? ''): GoldenReport {
  if (golden === null) {
    return { golden: name, result: 'no golden', ok: false, compared: 0, differences: [], missing: [], unexpected: [], uncaptured: [], ignored: new Map(), sealed: null }
  }
  const canonical = canonicalizeAll(captures, { ...golden, decoder, keys })
  const got = renumber(flowsOf(canonical))
  const wanted = renumber(new Map([...got.keys()].map(each => [each, golden.interfaces.get(each) ?? []])))
  const uncaptured = [...golden.interfaces.keys()].filter(each => !captures.has(each))
  const parts = [...got].map(([each, flows]) => compareFlows(each, wanted.get(each) ?? [], flows))
  const broken = [...canonical].flatMap(([each, { faults }]) => faults.map(fault => faultDifference(each, fault)))
  const differences = [...broken, ...damages(captures), ...parts.flatMap(part => part.differences)]
  const missing = parts.flatMap(part => part.missing), unexpected = parts.flatMap(part => part.unexpected)
  const compared = parts.reduce((sum, part) => sum + part.compared, 0)
  const equal = differences.length + missing.length + unexpected.length === 0 && (partial === true || uncaptured.length === 0)
  const result = compared === 0 && missing.length + unexpected.length === 0 ? 'nothing compared' : equal ? 'equal' : 'different'
  const sealed = [...canonical.values()].reduce((sum, each) => sum + each.sealed, 0)
  return {
    golden: golden.name, result, ok: result === 'equal', compared, differences, missing, unexpected, uncaptured,
    ignored: new Map([...canonical].map(([each, { ignored }]) => [each, ignored])),
    sealed: sealed === 0 ? null : { connections: sealed, why: keys.lack },
  }
}

/** In the order of the interfaces' names, which numbering depends on. */
const canonicalizeAll = (captures: ReadonlyMap<string, Capture>, options: CanonicalOptions): Map<string, CanonicalCapture> =>
  new Map([...captures].sort(([a], [b]) => a < b ? -1 : 1).map(([name, capture]) => [name, canonicalize(capture.packets, options)]))

const flowsOf = (canonical: ReadonlyMap<string, CanonicalCapture>): Map<string, readonly Flow[]> =>
  new Map([...canonical].map(([name, { flows }]) => [name, flows]))

const entriesOf = (interfaces: ReadonlyMap<string, readonly Flow[]>): number =>
  [...interfaces.values()].flat().reduce((sum, flow) => sum + flow.entries.length, 0)

export function faultCause({ field, got }: Fault): string {
  if (got === 'partial') return 'the capture was made before the card finished the checksum: switch offloads off (ethtool -K … tx off) or complete it'
  if (field === 'length') return 'the capture kept only the beginning of the frame: capture with a larger snapshot length'
  if (field === 'TLS') return 'the bytes of the connection were changed on the way, or are missing from the capture'
  return field.endsWith('checksum') ? 'the packet was changed without its checksum' : 'the frame was damaged, or cut by the capture'
}

const faultDifference = (name: string, fault: Fault): Difference =>
  ({ interface: name, packet: '', flow: '', again: 0, cause: faultCause(fault), ...fault })

const damages = (captures: ReadonlyMap<string, Capture>): Difference[] =>
  [...captures].flatMap(([name, { damage, packets }], at, all) => damage === null || all.slice(0, at).some(([, other]) => other.damage === damage) ? [] : [{
    interface: name, frame: packets.length + 1, packet: '', flow: '', again: 0,
    field: `byte ${damage.offset}`, wanted: 'a whole record', got: damage.found, cause: damage.advice,
  }])
