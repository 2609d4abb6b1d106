// The checks of captures as one function for anybody's tests: it throws an assertion error that test runners know how to print.
import { AssertionError } from 'node:assert'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CheckDescription } from './check/format.js'
import { checkCapture, type CheckReport } from './check/match.js'
import type { Check } from './check/pattern.js'
import { CheckFileError, parseCheck, readCheck } from './check/read.js'
import { formatCheck, sidesOf } from './check/report.js'
import { CaptureSource, type SourceFile } from './check/source.js'
import type { PayloadDecoder } from './payload.js'
import { decodePayload } from './protocol.js'

/** A capture file by its path, or its bytes. */
export type CaptureInput = string | URL | Uint8Array

export interface CaptureExpectation {
  /** A check file, or what would stand in one. */
  readonly check?: string | URL | CheckDescription
  /** Takes payloads apart; the endpoints' own protocol unless given. */
  readonly decoder?: PayloadDecoder
}

export interface CaptureReport {
  /** Packets and messages that were compared. */
  readonly compared: number
  /** Lines for people. */
  readonly text: string
  readonly check: CheckReport | null
}

/** A capture that is not as it was expected. The message is the whole report; `expected` and `actual` hold what differs, by place. */
export class CaptureMismatchError extends AssertionError {
  readonly report: CaptureReport

  constructor(report: CaptureReport, sides: { readonly wanted: object, readonly got: object }) {
    super({ message: report.text, expected: sides.wanted, actual: sides.got, operator: 'expectCapture' })
    this.report = report
  }
}

/**
 * Holds a capture against a check: `await expectCapture('run.pcapng', { check: 'checks/nat.yaml' })`.
 * @param capture a capture file (pcapng, or pcap), or several by the interfaces that they show, as in `{ lan: 'lan.pcap', wan: 'wan.pcap' }`
 * @throws CaptureMismatchError when it is not as expected, and when nothing was compared; CheckFileError for a check that cannot be
 *   read; CaptureFileError when a file is no capture at all
 */
export async function expectCapture(capture: CaptureInput | Readonly<Record<string, CaptureInput>>, { check, decoder = decodePayload }: CaptureExpectation): Promise<CaptureReport> {
  if (check === undefined) throw new CheckFileError('expectCapture: nothing is expected. Give { check: … }.')
  const wanted = await readAny(check)
  return withFiles(capture, async files => {
    const report = await checkCapture(wanted, new CaptureSource(files), decoder)
    const whole: CaptureReport = { compared: report.compared, text: formatCheck(report).join('\n'), check: report }
    if (report.ok) return whole
    throw new CaptureMismatchError(whole, sidesOf(report))
  })
}

async function readAny(check: string | URL | CheckDescription): Promise<Check> {
  if (typeof check !== 'string' && !(check instanceof URL)) return readCheck(check)
  return readCheckFile(pathOf(check))
}

/** @throws CheckFileError when it cannot be read, or is none; the message says where */
export async function readCheckFile(path: string): Promise<Check> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CheckFileError(`${path}: the check file cannot be read (${error instanceof Error ? error.message : String(error)})`)
  })
  return parseCheck(text, path)
}

const pathOf = (file: string | URL): string => typeof file === 'string' ? file : fileURLToPath(file)
const isInput = (capture: CaptureInput | Readonly<Record<string, CaptureInput>>): capture is CaptureInput =>
  typeof capture === 'string' || capture instanceof URL || capture instanceof Uint8Array

/** Bytes are a file for as long as they are looked at: checks read what is larger than memory, and some of it twice. */
async function withFiles<T>(capture: CaptureInput | Readonly<Record<string, CaptureInput>>, use: (files: readonly SourceFile[]) => Promise<T>): Promise<T> {
  const inputs: [string | null, CaptureInput][] = isInput(capture) ? [[null, capture]] : Object.entries(capture)
  let folder: string | null = null
  try {
    const files: SourceFile[] = []
    for (const [as, input] of inputs) {
      if (!(input instanceof Uint8Array)) {
        files.push({ path: pathOf(input), as })
        continue
      }
      folder ??= await mkdtemp(join(tmpdir(), 'naptlab-'))
      const path = join(folder, `capture-${files.length + 1}`)
      await writeFile(path, input)
      files.push({ path, as })
    }
    return await use(files)
  } finally {
    if (folder !== null) await rm(folder, { recursive: true })
  }
}
