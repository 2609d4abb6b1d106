// What is wrong with a folder of goldens as it lies there: files that belong to nothing, and goldens that do not hold for their own
// captures.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { packetsOf } from './digest-compare.js'
import { capturesIn, checkGoldenFiles } from './golden-folder.js'
import { GoldenError, type GoldenReport } from './golden.js'
import { GOLDEN_FILE, readGolden } from './golden-file.js'
import { CheckUsageError, inputFiles } from '../files/input-files.js'
import type { PayloadDecoder } from '../decode/payload.js'
import { CaptureFileError } from '../files/pcap.js'
import { KeyLogError } from '../tls/key-log.js'

export interface LintFinding { readonly path: string, readonly problem: string }

export interface LintReport {
  /** Goldens that were looked at. */
  readonly goldens: number
  readonly findings: readonly LintFinding[]
}

/** @param folder of goldens, or of one golden. @throws the system's error when it cannot be read */
export async function lintGoldens(folder: string, decoder: PayloadDecoder): Promise<LintReport> {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => a.name < b.name ? -1 : 1)
  if (entries.some(each => each.name === GOLDEN_FILE)) return { goldens: 1, findings: await lintGolden(folder, decoder) }
  const folders = entries.filter(each => each.isDirectory() && !each.name.startsWith('.')).map(each => join(folder, each.name))
  const findings = entries.filter(each => !each.isDirectory() && isStray(each.name))
    .map((each): LintFinding => ({ path: join(folder, each.name), problem: 'a stray file: it is in no golden\'s folder' }))
  for (const each of folders) findings.push(...await lintGolden(each, decoder))
  if (folders.length === 0) findings.push({ path: folder, problem: 'there is no golden here' })
  return { goldens: folders.length, findings }
}

const isStray = (file: string): boolean => /\.(pcap|pcapng|part|yaml|yml|log)$/.test(file)

async function lintGolden(folder: string, decoder: PayloadDecoder): Promise<LintFinding[]> {
  const path = join(folder, GOLDEN_FILE)
  const captures = capturesIn(folder)
  const left = readdirSync(folder).filter(each => each.endsWith('.part')).map((each): LintFinding => ({ path: join(folder, each), problem: 'a stray file: what was to be written was never finished' }))
  const found = async (): Promise<readonly LintFinding[]> => {
    try {
      const golden = readGolden(path)
      if (golden === null) return [{ path: folder, problem: captures.length > 0 ? `stray captures (${captures.map(each => basename(each)).join(', ')}): there is no ${GOLDEN_FILE} beside them` : `there is no ${GOLDEN_FILE} in it` }]
      if ([...golden.interfaces.values()].flat().every(flow => packetsOf(flow) === 0)) return [{ path, problem: 'it is empty: no packet is asked for' }]
      if (captures.length === 0) return [{ path, problem: 'the capture that it was recorded from is not beside it' }]
      const report = await checkGoldenFiles(inputFiles(captures), path, { decoder })
      return report.ok ? [] : [{ path, problem: `it does not hold for its own capture: ${firstOf(report)}` }]
    } catch (error) {
      if (error instanceof GoldenError || error instanceof CaptureFileError || error instanceof KeyLogError || error instanceof CheckUsageError) return [{ path, problem: error.message }]
      throw error
    }
  }
  return [...left, ...await found()]
}

/** How much is wrong, and what first. */
function firstOf({ result, differences, missing, unexpected, uncaptured }: GoldenReport): string {
  if (result === 'nothing compared') return 'not one packet was compared'
  const [difference] = differences
  const first = differences.length > 0 ? `${difference.interface}, frame ${difference.frame ?? '?'}: ${difference.field}: wanted ${difference.wanted}, got ${difference.got}`
    : [...missing.map(each => `missing at ${each.interface}: ${each.packet} of ${each.flow}`), ...unexpected.map(each => `unexpected at ${each.interface}: ${each.packet} of ${each.flow}`), ...uncaptured.map(each => `${each} was not captured`)][0]
  const more = differences.length + missing.length + unexpected.length + uncaptured.length - 1
  return first + (more > 0 ? `, and ${more} more` : '')
}
