// Reading what people give to `naptlab ca`: days, fingerprints, names, and the enrolment secret, which is never on the command line.
import { readFileSync } from 'node:fs'
import { certificates } from '../endpoints/index.js'
import { EncodeError } from '../endpoints/message/index.js'
import { UsageError } from './errors.js'

const DAY = 86_400_000
const MAX_DAYS = 36_500

/** @returns milliseconds; @throws UsageError */
export function parseDays(value: number): number {
  if (!(value >= 1 && value <= MAX_DAYS)) throw new UsageError(`'${value}' is not a number of days (1 to ${MAX_DAYS})`)
  return Math.round(value * DAY)
}

/** @throws UsageError unless it is a SHA-256 fingerprint, with or without colons */
export function parseFingerprint(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text.replaceAll(':', ''))) throw new UsageError(`'${text}' is not a SHA-256 fingerprint (64 hexadecimal digits, as \`naptlab ca show\` prints it)`)
  return text
}

/** @throws UsageError unless each is an IPv4 address or a DNS name */
export function parseNames(names: readonly string[]): string[] {
  const known = names.map(name => name.toLowerCase()), flaw = certificates.namesFlaw(known)
  if (flaw !== null) throw new UsageError(`the certificate cannot be asked for: ${flaw}`)
  return known
}

/** @throws UsageError unless each is NAME or NAME=ADDRESS */
export function parseAllowances(texts: readonly string[]): certificates.Allowance[] {
  try {
    return texts.map(certificates.parseAllowance)
  } catch (error) {
    throw error instanceof EncodeError ? new UsageError(`--allow: ${error.message}`) : error
  }
}

/** One line of a file, without its end. @throws UsageError */
export function readEnrolmentSecret(file: string): string {
  const secret = read(file).replace(/\r?\n$/, '')
  if (secret.includes('\n')) throw new UsageError(`${file} does not hold an enrolment secret: one line is needed`)
  try {
    certificates.checkSecret(secret)
    return secret
  } catch (error) {
    throw error instanceof EncodeError ? new UsageError(`${file}: ${error.message}`) : error
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`the file of the enrolment secret cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
