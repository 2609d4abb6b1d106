// What holds for capture files: that they are whole, every checksum, and on request the layouts of Figs. 7 and 8 and a golden.
import { basename } from 'node:path'
import { faultsOf, type Fault } from './canonical/canonical.js'
import { decode } from './decode/decode.js'
import { checkFigures, type FigureReport } from './figure-check.js'
import { figureLayouts, type FigureRun } from './figures.js'
import { checkGolden, type GoldenReport } from './regression/golden.js'
import { goldenPath, readGolden } from './regression/golden-file.js'
import { readByInterface, type InterfaceCaptures } from './files/by-interface.js'
import { keyLogsFor } from './canonical/canonical-files.js'
import { assignment, CheckUsageError } from './files/input-files.js'
import type { Capture } from './files/read-capture.js'
import type { PayloadDecoder } from './decode/payload.js'
import { allOf, NO_KEYS, readKeyLog, type KeySource } from './tls/key-log.js'

export interface CaptureFile {
  /** Null: all of the file's interfaces, by the names that it gives them. */
  readonly interface: string | null
  readonly path: string
}

export interface FileCheckOptions {
  readonly decoder: PayloadDecoder
  /** The run whose layouts hold. */
  readonly figures?: FigureRun
  /** A golden's name or path. */
  readonly golden?: string
  /** The key log; else what the captures hold, and each `keys.log` beside one. */
  readonly keys?: string
}

export interface FileResult {
  readonly interface: string
  readonly file: string
  readonly packets: number
  /** What cut the file short, with the byte; null for a whole file. */
  readonly damage: string | null
  readonly faults: readonly Fault[]
}

export interface FileCheckReport {
  readonly files: readonly FileResult[]
  readonly figures: FigureReport | null
  readonly golden: GoldenReport | null
  /** False too when not one packet was there to check. */
  readonly ok: boolean
}

/** The figures' interfaces, the CA (Fig. 5), and those of the prior-art benches (Figs. 10 and 13, hybrid). */
const INTERFACES: ReadonlySet<string> = new Set([
  ...figureLayouts().flatMap(layout => layout.interfaces), '51', '11', '12', '13', '14', '15', '104-lan', '104-wan',
])

/**
 * Which interface each file shows: a pcapng file names them itself, `104a-lan.pcap` says so by its name, `104a-lan=FILE` (of `as`)
 * in so many words.
 * @throws CheckUsageError for a name that says nothing, and for two files of one interface
 */
export function nameInterfaces(paths: readonly string[], as: readonly string[]): CaptureFile[] {
  const named = [...paths.map(byName), ...as.map(byAssignment)]
  if (named.length === 0) throw new CheckUsageError('There is no file to check. Give capture files, such as out/fig2/fig2.pcapng, or --as 104a-lan=FILE.')
  for (const { interface: name, path } of named) {
    const other = named.find(each => each.interface !== null && each.interface === name && each.path !== path)
    if (other !== undefined) throw both(path, other.path, other.interface)
  }
  return named
}

const both = (path: string, other: string, name: string | null): CheckUsageError => new CheckUsageError(`${path} and ${other} both show ${name}. Give one file an interface.`)

function byName(path: string): CaptureFile {
  if (path.endsWith('.pcapng')) return { interface: null, path }
  const name = basename(path).replace(/\.pcap$/, '')
  if (!INTERFACES.has(name)) throw new CheckUsageError(`${path}: the name does not say which interface the file shows (${[...INTERFACES].sort().join(', ')}). Say so with --as, as in --as 104a-lan=${path}`)
  return { interface: name, path }
}

function byAssignment(text: string): CaptureFile {
  const { as, path } = assignment(text)
  return { interface: as, path }
}

/**
 * Sides of which no file was given are not asked for: the report is about these files.
 * @throws CaptureFileError when a file is no capture at all; GoldenError when the golden is none; KeyLogError when the key log is none
 */
export async function checkFiles(files: readonly CaptureFile[], { decoder, figures, golden, keys: keyLog }: FileCheckOptions): Promise<FileCheckReport> {
  const captures = new Map<string, Capture>(), held: KeySource[] = []
  for (const file of files) {
    const content = await readByInterface(file.path)
    if (content.keys !== NO_KEYS) held.push(content.keys)
    for (const [name, capture] of named(file, content)) {
      const other = captures.get(name)
      if (other !== undefined) throw both(file.path, other.file, name)
      captures.set(name, capture)
    }
  }
  const keys = allOrNone([...keyLog === undefined ? held : [], ...keyLogsFor(files, keyLog).map(readKeyLog)])
  const results = [...captures].map(([name, capture]): FileResult => ({
    interface: name, file: capture.file, packets: capture.packets.length, damage: capture.damage?.message ?? null,
    faults: capture.packets.flatMap(packet => faultsOf(packet, decode(packet.bytes, packet.interface.linkType))),
  }))
  const figureReport = figures === undefined ? null : checkFigures(captures, { decoder, keys, run: figures, partial: true })
  const goldenReport = golden === undefined ? null : checkGolden(captures, readGolden(goldenPath(golden)), { decoder, keys, partial: true }, golden)
  const isWhole = results.every(({ damage, faults }) => damage === null && faults.length === 0) && results.some(({ packets }) => packets > 0)
  return { files: results, figures: figureReport, golden: goldenReport, ok: isWhole && figureReport?.ok !== false && goldenReport?.ok !== false }
}

/** What somebody called an interface is the only one of its file, or the one that the file itself calls so. */
function named({ interface: name, path }: CaptureFile, { captures }: InterfaceCaptures): (readonly [string, Capture])[] {
  if (name === null) return [...captures]
  const [only] = captures.values(), capture = captures.size === 1 ? only : captures.get(name)
  if (capture === undefined) throw new CheckUsageError(`${path}: the file shows ${[...captures.keys()].join(', ')}, not ${name}. Give it without --as.`)
  return [[name, capture]]
}

const allOrNone = (sources: readonly KeySource[]): KeySource => sources.length === 0 ? NO_KEYS : allOf(sources)
