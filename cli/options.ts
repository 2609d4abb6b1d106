// Reading what people type: durations, ports, addresses, equipment IDs, and passwords, which are never taken from the
// command line, since every user of the machine can read that.
import { readFileSync } from 'node:fs'
import { EncodeError, FIELDS, encode } from '../endpoints/message/index.js'
import { addressCheck } from '../endpoints/access/address-policy.js'
import type { Level, Peer } from '../endpoints/index.js'
import { UsageError } from './errors.js'

const UNITS: Record<string, number | undefined> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }

/** @returns milliseconds; @throws UsageError unless `text` is a positive number with a unit, such as 500ms, 1.5s or 2min */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/.exec(text) ?? []
  const duration = Number(number) * (UNITS[unit] ?? NaN)
  // Node's timers hold 31 bits; a longer one would fire at once.
  if (!(duration >= 1 && duration < 2 ** 31)) throw new UsageError(`'${text}' is not a duration (such as 500ms, 1s or 5m, up to 24 days)`)
  return duration
}

/** @param min 0 where the system may choose */
export function parsePort(value: number | string, min = 1): number {
  const port = Number(value)
  if (!Number.isInteger(port) || port < min || port > 65535) throw new UsageError(`'${value}' is not a port (${min} to 65535)`)
  return port
}

export const parseLocalPort = (value: number | string): number => parsePort(value, 0)

/** @throws UsageError unless `text` is ADDRESS:PORT with an IPv4 address */
export function parsePeer(text: string): Peer {
  const [address, port, ...rest] = text.split(':')
  if (!/^\d+(\.\d+){3}$/.test(address) || address.split('.').some(part => Number(part) > 255) || rest.length > 0) {
    throw new UsageError(`'${text}' is not ADDRESS:PORT (such as 4.17.168.2:5000)`)
  }
  return { address, port: parsePort(port) }
}

/** @throws UsageError unless the ID fits a registration */
export function parseEquipmentId(value: string | number): string {
  const equipmentId = String(value)
  try {
    encode({ name: 'registration', equipmentId })
    return equipmentId
  } catch (error) {
    throw error instanceof EncodeError ? new UsageError(`'${equipmentId}' cannot be used: ${error.message}`) : error
  }
}

export function parseLevel(value: number): Level {
  if (value === 1 || value === 2 || value === 3) return value
  throw new UsageError(`there is no level ${value} here (1, 2 or 3)`)
}

/** @throws UsageError unless each is an IPv4 prefix or address that can be meant */
export function parsePrefixes(texts: readonly string[]): string[] {
  try {
    addressCheck({ allow: texts })
    return [...texts]
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error
  }
}

/**
 * The file with what registrations are authenticated by; null when the user wants to do without.
 * @param option by which it is given. @throws UsageError when neither is said, or both
 */
export function keyFor(option: string, file: string | undefined, isOpen: boolean): string | null {
  if (file !== undefined && isOpen) throw new UsageError(`${option} and --open-registration contradict each other: give one of them`)
  if (file !== undefined) return file
  if (isOpen) return null
  throw new UsageError(`without a key anybody can register any equipment ID: give ${option} (\`naptlab equipment add\` makes it), or --open-registration to do without`)
}

export const PASSWORD_VARIABLE = 'NAPTLAB_PASSWORD'

/**
 * The password from a file (its last line end is not part of it), or else from the environment.
 * @param forWhat what it is needed for, and `instead` how to do without, for people who gave none
 * @throws UsageError
 */
export function readPassword(file: string | undefined, environment: NodeJS.ProcessEnv, forWhat = 'level 3', instead = ', or choose --level 2'): string {
  const password = file === undefined ? environment[PASSWORD_VARIABLE] : readPasswordFile(file).replace(/\r?\n$/, '')
  const where = file ?? PASSWORD_VARIABLE
  if (password === undefined) throw new UsageError(`${forWhat} needs a password: give --password-file FILE or set ${PASSWORD_VARIABLE}${instead}`)
  if (password === '' || password.includes('\n')) throw new UsageError(`${where} does not hold a password: one line, not empty, is needed`)
  if (Buffer.byteLength(password) > FIELDS.password.max) throw new UsageError(`the password in ${where} is longer than ${FIELDS.password.max} bytes`)
  return password
}

function readPasswordFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`the password file cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
