// Two goldens, two captures, or one of each, compared as a check would: the second is what came, the first what was wanted.
import { existsSync, statSync } from 'node:fs'
import { canonicalizeFiles, type ReadingOptions } from './canonical-files.js'
import type { CanonicalInterface, CanonicalOptions, Fault } from './canonical.js'
import { capturesBeside, capturesIn, findGolden, sameInterface } from './golden-folder.js'
import { checkCanonical, flowsOf, type Golden, type GoldenReport } from './golden.js'
import { readGolden } from './golden-file.js'
import { CheckUsageError, inputFiles } from './input-files.js'
import type { KeySource } from './tls/key-log.js'

/** What is not compared, where neither side is a golden that says so. */
export interface DiffOptions extends Omit<CanonicalOptions, 'keys'>, ReadingOptions {}

/**
 * @param wanted and `got`: a capture file, a folder of captures, or a golden by its name, its folder or its file
 * @throws CheckUsageError for what is none of these; else as canonicalizeFiles and readGolden
 */
export async function diffGoldens(wanted: string, got: string, { keyLog, onProgress, ...given }: DiffOptions): Promise<GoldenReport> {
  const sides = [wanted, got].map(openSide)
  const options = { ...given, ...sides.find(side => side.golden !== null)?.golden ?? {}, digests: false, decoder: given.decoder }
  const reading = (half: number): ReadingOptions => ({
    ...(keyLog === undefined ? {} : { keyLog }), ...(onProgress === undefined ? {} : { onProgress: share => { onProgress((half + share) / 2) } }),
  })
  const [before, after] = [await formOf(sides[0], options, reading(0)), await formOf(sides[1], options, reading(1))]
  const golden: Golden = { name: `${wanted} and ${got}`, ports: options.ports ?? [], periodic: options.periodic ?? [], bothWays: options.bothWays ?? [], interfaces: flowsOf(before.interfaces) }
  refuseFaults(before.interfaces, wanted)
  return checkCanonical(sameInterface(after.interfaces, golden), golden, after.keys === null ? {} : { keys: after.keys })
}

interface Side { readonly golden: Golden | null, readonly captures: readonly string[] }
interface Form { readonly interfaces: ReadonlyMap<string, CanonicalInterface>, readonly keys: KeySource | null }

function openSide(text: string): Side {
  const isFolder = existsSync(text) && statSync(text).isDirectory()
  const path = findGolden(isFolder && !text.includes('/') ? `./${text}` : text)
  const golden = existsSync(text) && !isFolder && !text.endsWith('.yaml') ? null : readGolden(path)
  if (golden !== null && golden.digests !== true) return { golden, captures: [] }
  if (golden !== null) return { golden, captures: capturesBeside(path) } // a large one has its packets there
  const captures = isFolder ? capturesIn(text) : existsSync(text) ? [text] : []
  if (captures.length === 0) throw new CheckUsageError(`${text} is neither a capture nor a golden. Give a capture file, a golden's name, or the path of its folder.`)
  return { golden: null, captures }
}

async function formOf({ golden, captures }: Side, options: Omit<CanonicalOptions, 'keys'>, reading: ReadingOptions): Promise<Form> {
  if (golden === null || golden.digests === true) return canonicalizeFiles(inputFiles(captures), options, reading)
  return { keys: null, interfaces: new Map([...golden.interfaces].map(([name, flows]) => [name, { flows, faults: [], ignored: {}, sealed: 0, packets: 0, damage: null }])) }
}

/** @throws CheckUsageError for frames that are wrong in themselves: equal to those would not be good */
function refuseFaults(interfaces: ReadonlyMap<string, CanonicalInterface>, file: string): void {
  for (const [name, { faults, damage }] of interfaces) {
    const [fault] = faults as readonly (Fault | undefined)[]
    const wrong = fault === undefined ? damage?.message : `${name}, frame ${fault.frame}: ${fault.field}: wanted ${fault.wanted}, got ${fault.got}`
    if (wrong !== undefined) throw new CheckUsageError(`${file} is wrong in itself, so nothing is compared with it: ${wrong}`)
  }
}
