// The checks of captures as one function for anybody's tests: it throws an assertion error that test runners know how to print.
import { AssertionError } from 'node:assert'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { CheckDescription } from './check/format.js'
import { checkCapture, type CheckReport } from './check/match.js'
import type { Check } from './check/pattern.js'
import { CheckFileError, parseCheck, readCheck } from './check/read.js'
import { formatCheck } from './check/report.js'
import { sidesOf, type Sides } from './check/sides.js'
import { CaptureSource } from './check/source.js'
import { formatGoldenReport } from './check-report.js'
import type { GoldenReport } from './regression/golden.js'
import { checkGoldenFiles, findGolden } from './regression/golden-folder.js'
import type { InputFile } from './files/input-files.js'
import type { PayloadDecoder } from './decode/payload.js'
import { decodePayload } from './decode/protocol.js'
import { printable } from './decode/text-width.js'

/** A capture file by its path, or its bytes. */
export type CaptureInput = string | URL | Uint8Array

export interface CaptureExpectation {
  /** A check file, or what would stand in one. */
  readonly check?: string | URL | CheckDescription
  /** A golden: its file, its folder, or its name in `goldens/` or among naptlab's own. */
  readonly golden?: string | URL
  /** True: interfaces of the golden that the capture does not show need not be there. */
  readonly partial?: boolean
  /** A key log that opens TLS connections; what the capture itself holds is used without. */
  readonly keys?: string | URL
  /** Takes payloads apart; the endpoints' own protocol unless given. */
  readonly decoder?: PayloadDecoder
}

export interface CaptureReport {
  /** Packets and messages that were compared. */
  readonly compared: number
  /** Lines for people. */
  readonly text: string
  readonly check: CheckReport | null
  readonly golden: GoldenReport | null
}

/** A capture that is not as it was expected. The message is the whole report; `expected` and `actual` hold what differs, by place. */
export class CaptureMismatchError extends AssertionError {
  // Private, so that test runners do not print it all once more.
  readonly #report: CaptureReport

  constructor(report: CaptureReport, sides: Sides) {
    super({ message: report.text, expected: sides.wanted, actual: sides.got, operator: 'expectCapture' })
    this.#report = report
  }

  get report(): CaptureReport { return this.#report }
}

/**
 * Holds a capture against a check, a golden, or both: `await expectCapture('run.pcapng', { check: 'checks/nat.yaml' })`.
 * @param capture a capture file (pcapng, or pcap), or several by the interfaces that they show, as in `{ lan: 'lan.pcap', wan: 'wan.pcap' }`
 * @throws CaptureMismatchError when it is not as expected, and when nothing was compared; CheckFileError for a check that cannot be
 *   read, GoldenError for such a golden, KeyLogError for such a key log; CaptureFileError when a file is no capture at all
 */
export async function expectCapture(capture: CaptureInput | Readonly<Record<string, CaptureInput>>, { check, golden, partial = false, keys, decoder = decodePayload }: CaptureExpectation): Promise<CaptureReport> {
  if (check === undefined && golden === undefined) throw new CheckFileError('expectCapture: nothing is expected. Give { check: … } or { golden: … }.')
  const wanted = check === undefined ? null : await readAny(check)
  return withFiles(capture, async files => {
    const checked = wanted === null ? null : await checkCapture(wanted, new CaptureSource(files), decoder)
    const compared = golden === undefined ? null : await checkGoldenFiles(files, findGolden(pathOf(golden)), { decoder, partial, ...(keys === undefined ? {} : { keyLog: pathOf(keys) }) })
    const report: CaptureReport = {
      compared: (checked?.compared ?? 0) + (compared?.compared ?? 0), check: checked, golden: compared,
      text: [...(checked === null ? [] : formatCheck(checked)), ...(compared === null ? [] : formatGoldenReport(compared).map(printable))].join('\n'),
    }
    if (checked?.ok !== false && compared?.ok !== false) return report
    throw new CaptureMismatchError(report, sidesOf(checked, compared))
  })
}

async function readAny(check: string | URL | CheckDescription): Promise<Check> {
  if (typeof check !== 'string' && !(check instanceof URL)) return readCheck(check)
  return readCheckFile(pathOf(check))
}

/** Bytes of a check file: people write it. */
const LARGEST_CHECK = 4 << 20

/** @throws CheckFileError when it cannot be read, or is none; the message says where */
export async function readCheckFile(path: string): Promise<Check> {
  const bytes = await buffer(createReadStream(path, { end: LARGEST_CHECK })).catch((error: unknown) => {
    throw new CheckFileError(`${path}: the check file cannot be read (${error instanceof Error ? error.message : String(error)})`)
  })
  if (bytes.length > LARGEST_CHECK) throw new CheckFileError(`${path}: the check file has more than ${LARGEST_CHECK} bytes`)
  return parseCheck(bytes.toString('utf8'), path)
}

/** Of a URL the path from the present folder, where that is shorter: it stands in every message. */
function pathOf(file: string | URL): string {
  if (typeof file === 'string') return file
  const whole = fileURLToPath(file), short = relative('', whole)
  return short.startsWith('..') ? whole : `./${short}`
}

const isInput = (capture: CaptureInput | Readonly<Record<string, CaptureInput>>): capture is CaptureInput =>
  typeof capture === 'string' || capture instanceof URL || capture instanceof Uint8Array

/** Bytes are a file for as long as they are looked at: checks read what is larger than memory, and some of it twice. */
async function withFiles<T>(capture: CaptureInput | Readonly<Record<string, CaptureInput>>, use: (files: readonly InputFile[]) => Promise<T>): Promise<T> {
  const inputs: [string | null, CaptureInput][] = isInput(capture) ? [[null, capture]] : Object.entries(capture)
  let folder: string | null = null
  try {
    const files: InputFile[] = []
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
