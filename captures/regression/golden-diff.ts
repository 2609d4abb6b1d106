// Two goldens, two captures, or one of each, compared as a check would: the second is what came, the first what was wanted. Large
// captures are compared by the digests of their flows first, and only what differs is looked into, so that few packets are kept.
import { existsSync, statSync } from 'node:fs'
import { canonicalizeFiles, type CanonicalFiles, type ReadingOptions } from '../canonical/canonical-files.js'
import type { CanonicalInterface, CanonicalOptions, Fault } from '../canonical/canonical.js'
import { capturesBeside, capturesIn, findGolden, READABLE, refuseTooMany, sameInterface } from './golden-folder.js'
import { lookInto } from './golden-large.js'
import { checkCanonical, entriesOf, flowsOf, type Golden, type GoldenReport } from './golden.js'
import { readGolden } from './golden-file.js'
import { CheckUsageError, inputFiles } from '../files/input-files.js'
import type { KeySource } from '../tls/key-log.js'

/** What is not compared, where neither side is a golden that says so. */
export interface DiffOptions extends Omit<CanonicalOptions, 'keys'>, ReadingOptions {
  /** Packets and messages above which captures are compared by digests; as many as a golden has entries for when not given. */
  readonly readable?: number
  /** See GoldenFileCheckOptions. */
  readonly comparable?: number
}

/**
 * @param wanted and `got`: a capture file, a folder of captures, or a golden by its name, its folder or its file
 * @throws CheckUsageError for what is none of these; else as canonicalizeFiles, readGolden and refuseTooMany
 */
export async function diffGoldens(wanted: string, got: string, { readable = READABLE, comparable, keyLog, onProgress, ...given }: DiffOptions): Promise<GoldenReport> {
  const [before, after] = [wanted, got].map(openSide)
  const { ports = [], periodic = [], bothWays = [] } = { ...given, ...before.golden ?? after.golden ?? {} }
  const options = { ...given, ports, periodic, bothWays }, name = `${wanted} and ${got}`
  const reading = (half: number): ReadingOptions => ({
    ...(keyLog === undefined ? {} : { keyLog }), ...(onProgress === undefined ? {} : { onProgress: share => { onProgress((half + share) / 2) } }),
  })
  const goldenOf = ({ interfaces }: Form, digests: boolean): Golden => ({ name, ports, periodic, bothWays, interfaces: flowsOf(interfaces), ...(digests ? { digests } : {}) })
  const compare = (wantedForm: Form, gotForm: Form, digests: boolean): GoldenReport => {
    refuseFaults(wantedForm.interfaces, wanted)
    const golden = goldenOf(wantedForm, digests)
    return checkCanonical(sameInterface(gotForm.interfaces, golden), golden, gotForm.keys === null ? {} : { keys: gotForm.keys })
  }
  if (before.captures.length > 0 && after.captures.length > 0) {
    const [first, second] = [await formOf(before, { ...options, digests: true }, reading(0)), await formOf(after, { ...options, digests: true }, reading(1))]
    if (Math.max(...[first, second].map(({ interfaces }) => entriesOf(flowsOf(interfaces)))) > readable) {
      const report = compare(first, second, true), golden = goldenOf(first, true)
      const named = (forms: CanonicalFiles['interfaces']): CanonicalFiles['interfaces'] => sameInterface(forms, golden)
      return report.ok ? report : lookInto({
        golden, beside: before.captures, files: inputFiles(after.captures), interfaces: named(second.interfaces), report, decoder: given.decoder, partial: false, reading: keyLog === undefined ? {} : { keyLog }, named,
      })
    }
  }
  for (const [{ golden }, { captures }, path] of [[before, after, wanted], [after, before, got]] as const) {
    if (golden !== null && golden.digests !== true && captures.length > 0) await refuseTooMany(inputFiles(captures), golden, { ...reading(0), decoder: given.decoder, ...(comparable === undefined ? {} : { comparable }) }, path)
  }
  return compare(await formOf(before, options, reading(0)), await formOf(after, options, reading(1)), false)
}

/** A golden that can be read stands for itself; a large one has its packets in the captures beside it. */
interface Side { readonly golden: Golden | null, readonly captures: readonly string[] }
interface Form { readonly interfaces: ReadonlyMap<string, CanonicalInterface>, readonly keys: KeySource | null }

function openSide(text: string): Side {
  const isFolder = existsSync(text) && statSync(text).isDirectory()
  const path = findGolden(isFolder && !text.includes('/') ? `./${text}` : text)
  const golden = existsSync(text) && !isFolder && !text.endsWith('.yaml') ? null : readGolden(path)
  if (golden !== null && golden.digests !== true) return { golden, captures: [] }
  if (golden !== null) return { golden, captures: capturesBeside(path) }
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
