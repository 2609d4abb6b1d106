// Goldens as folders: `golden.yaml`, and beside it the capture that it was made from.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { canonicalizeFiles, keyLogsFor, type ReadingOptions } from '../canonical/canonical-files.js'
import type { CanonicalInterface, CanonicalOptions } from '../canonical/canonical.js'
import { copyCaptures } from '../files/copy-captures.js'
import { checkCanonical, entriesOf, flowsOf, GoldenError, noGolden, recordCanonical, type Golden, type GoldenReport } from './golden.js'
import { lookInto } from './golden-large.js'
import { formatGolden, GOLDEN_FILE, goldenPath, readGolden } from './golden-file.js'
import { inputFiles, type InputFile } from '../files/input-files.js'
import type { PayloadDecoder } from '../decode/payload.js'

export const CAPTURE_FILE = 'capture.pcapng'
/** Where a project's goldens are unless it says so. */
export const GOLDENS_FOLDER = 'goldens'

const isCapture = (file: string): boolean => /\.pcap(ng)?$/.test(file)

/** A golden's captures: the files with packets in its folder, in the order of their names. */
export const capturesIn = (folder: string): string[] => readdirSync(folder).filter(isCapture).sort().map(file => join(folder, file))

/** The folders of the goldens in `folder`, in the order of their names. */
export const goldensIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).filter(each => each.isDirectory() && existsSync(join(folder, each.name, GOLDEN_FILE))).map(each => join(folder, each.name)).sort()

/** The file of a golden: of a path to it or its folder, of a name in `folder`, or of one of naptlab's own goldens. It need not be there. */
export function findGolden(nameOrPath: string, folder = GOLDENS_FOLDER): string {
  if (nameOrPath.endsWith('.yaml')) return nameOrPath
  const named = join(folder, nameOrPath, GOLDEN_FILE)
  if (nameOrPath.includes('/')) return join(nameOrPath, GOLDEN_FILE)
  return existsSync(named) || !existsSync(goldenPath(nameOrPath)) ? named : goldenPath(nameOrPath)
}

/** Packets and messages up to which a golden has entries: longer ones nobody reads, and YAML is slow. */
export const READABLE = 20_000

export interface RecordingOptions extends Omit<CanonicalOptions, 'keys'>, ReadingOptions {
  readonly name: string
  /** Made when it is not there. */
  readonly folder: string
  /** Put the new golden in the place of one that is there. */
  readonly force?: boolean
  /** Packets and messages above which flows stand as digests; READABLE when not given. */
  readonly readable?: number
}

/**
 * Records a golden: reads the captures several times, keeps few of their packets, and writes nothing unless all is well with them.
 * @throws GoldenError as recordGolden, and when there is a golden already; else as canonicalizeFiles, and the system's errors
 */
export async function recordFolder(files: readonly InputFile[], { name, folder, force = false, readable = READABLE, keyLog, onProgress, ...options }: RecordingOptions): Promise<Golden> {
  const path = join(folder, GOLDEN_FILE)
  const there = [path, join(folder, CAPTURE_FILE)].find(each => existsSync(each))
  if (there !== undefined && !force) throw new GoldenError(`no golden was recorded: ${there} is there already. Give another name or folder, or see what changed: naptlab golden update. --force replaces it.`)
  const half = (offset: number): Pick<ReadingOptions, 'onProgress'> => onProgress === undefined ? {} : { onProgress: share => { onProgress((offset + share) / 2) } }
  const reading = { ...half(0), ...(keyLog === undefined ? {} : { keyLog }) }
  const { interfaces, keys, names } = await canonicalizeFiles(files, { ...options, digests: true }, reading)
  const digests = recordCanonical(interfaces, { ...options, digests: true, name, keys })
  const golden = entriesOf(digests.interfaces) > readable ? digests : recordCanonical((await canonicalizeFiles(files, options, reading)).interfaces, { ...options, name, keys })
  mkdirSync(folder, { recursive: true })
  const capture = await copyCaptures(files.map(file => file.path), join(folder, CAPTURE_FILE), { names, keyLogs: keyLogsFor(files, keyLog), ...half(1) })
  try {
    writeFileSync(`${path}.part`, formatGolden(golden))
    capture.close()
    renameSync(`${path}.part`, path)
  } catch (error) {
    capture.discard()
    rmSync(`${path}.part`, { force: true })
    throw error
  }
  return golden
}

/** Packets and messages that are compared one by one at most: they are in memory then, 1 KB each. */
export const COMPARABLE = 10 * READABLE
/** Bytes of a capture file that a packet takes at least: a pcap record of an IPv4 header. */
const SHORTEST_RECORD = 16 + 20

export interface GoldenFileCheckOptions extends ReadingOptions {
  readonly decoder: PayloadDecoder
  /** Packets and messages that captures may have at most for a golden with entries; COMPARABLE when not given. */
  readonly comparable?: number
  /** True: interfaces of the golden without a capture do not count against the report. */
  readonly partial?: boolean
}

/**
 * Compares capture files with the golden at `path`. Where both show one interface, that is compared whatever its name.
 * @throws GoldenError when the golden cannot be read, and for captures too long to be those of a golden with entries; else as canonicalizeFiles
 */
export async function checkGoldenFiles(files: readonly InputFile[], path: string, { decoder, partial = false, comparable, ...reading }: GoldenFileCheckOptions): Promise<GoldenReport> {
  const golden = readGolden(path)
  if (golden === null) return noGolden(path)
  if (golden.digests !== true) await refuseTooMany(files, golden, { ...reading, decoder, ...(comparable === undefined ? {} : { comparable }) }, path)
  const { interfaces, keys } = await canonicalizeFiles(files, { ...golden, decoder }, reading)
  const named = (forms: ReadonlyMap<string, CanonicalInterface>): ReadonlyMap<string, CanonicalInterface> => sameInterface(forms, golden)
  const report = checkCanonical(named(interfaces), golden, { keys, partial })
  if (report.ok || golden.digests !== true) return report
  return lookInto({ golden, beside: capturesBeside(path), files, interfaces: named(interfaces), report, decoder, partial, reading, named })
}

/** @throws GoldenError for captures with more packets and messages than are compared one by one with a golden that has entries */
export async function refuseTooMany(files: readonly InputFile[], golden: Golden, { decoder, comparable = COMPARABLE, ...reading }: Omit<GoldenFileCheckOptions, 'partial'>, name: string): Promise<void> {
  if (sizeOf(files) <= comparable * SHORTEST_RECORD) return
  const { interfaces } = await canonicalizeFiles(files, { ...golden, decoder, digests: true }, reading), entries = entriesOf(flowsOf(interfaces))
  if (entries <= comparable) return
  const [few, many] = [entriesOf(golden.interfaces), entries].map(count => count.toLocaleString('en'))
  throw new GoldenError(`${name} has ${few} packets and messages, and the captures have ${many}, too many to be compared with it one by one. Give the captures of this golden's run, or record a golden of these: naptlab golden record.`)
}

/** Bytes; of a pipe, none. */
const sizeOf = (files: readonly InputFile[]): number => files.reduce((sum, file) => sum + (statSync(file.path, { throwIfNoEntry: false })?.size ?? 0), 0)

/** One interface on either side is the same one: a capture is named as its card, which another machine calls otherwise. */
export function sameInterface(interfaces: ReadonlyMap<string, CanonicalInterface>, wanted: Golden): ReadonlyMap<string, CanonicalInterface> {
  const [name, ...others] = wanted.interfaces.keys()
  return others.length === 0 && interfaces.size === 1 ? new Map([...interfaces.values()].map(form => [name, form])) : interfaces
}

/** A golden to check, null for one that is not there, and the captures for it. */
export interface FolderCheck { readonly name: string, readonly golden: string | null, readonly files: readonly InputFile[] }

/**
 * What a folder of captures is compared with: each golden of `goldens` with the capture of its name (`NAME.pcapng`, `NAME.pcap`, or all
 * captures in the folder `NAME`), and captures that no golden has.
 */
export function pairFolders(goldens: string, captures: string): FolderCheck[] {
  const files = new Map(readdirSync(captures, { withFileTypes: true }).flatMap((each): [string, InputFile[]][] => {
    const path = join(captures, each.name)
    if (!each.isDirectory()) return isCapture(each.name) ? [[each.name.replace(/\.pcap(ng)?$/, ''), inputFiles([path])]] : []
    const inside = capturesIn(path)
    return inside.length === 0 ? [] : [[each.name, inputFiles(inside)]]
  }))
  const wanted = goldensIn(goldens).map((folder): FolderCheck => ({ name: basename(folder), golden: join(folder, GOLDEN_FILE), files: files.get(basename(folder)) ?? [] }))
  const names = new Set(wanted.map(each => each.name))
  return [...wanted, ...[...files].filter(([name]) => !names.has(name)).map(([name, each]): FolderCheck => ({ name, golden: null, files: each }))]
}

/** The captures beside a golden's file. */
export const capturesBeside = (path: string): string[] => existsSync(dirname(path)) && statSync(dirname(path)).isDirectory() ? capturesIn(dirname(path)) : []
