// Reading untrusted data field by field. Every error names the field, what it holds and what it may hold.
import { AddressError } from './wire/address.js'

/** A configuration that cannot be. The message names the field, what it holds and what it may hold. */
export class ConfigError extends Error {}

export type Fields = Readonly<Record<string, unknown>>

const shown = (value: unknown): string => value === undefined ? 'missing' : `is ${JSON.stringify(value)}`

/** @throws ConfigError unless `value` is a set of fields with none but the known ones */
export function record(value: unknown, at: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ConfigError(`${at} ${shown(value)}; wanted are the fields ${known.join(', ')}`)
  const unknownField = Object.keys(value).find(key => !known.includes(key))
  if (unknownField !== undefined) throw new ConfigError(`${at}.${unknownField} is not known here; known are ${known.join(', ')}`)
  return value as Fields
}

export function oneOf<T extends string>(value: unknown, at: string, choices: readonly T[]): T {
  const choice = choices.find(candidate => candidate === value)
  if (choice === undefined) throw new ConfigError(`${at} ${shown(value)}; wanted is one of ${choices.join(', ')}`)
  return choice
}

export function text(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '') throw new ConfigError(`${at} ${shown(value)}; a text is wanted`)
  return value
}

export function flag(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') throw new ConfigError(`${at} ${shown(value)}; wanted is true or false`)
  return value
}

export function number(value: unknown, at: string, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw new ConfigError(`${at} ${shown(value)}; a number from ${least} to ${most} is wanted`)
  return value
}

export function wholeNumber(value: unknown, at: string, least: number, most: number): number {
  const result = number(value, at, least, most)
  if (!Number.isInteger(result)) throw new ConfigError(`${at} ${shown(value)}; a whole number is wanted`)
  return result
}

/** `example` shows what an item may look like. */
export function list<T>(value: unknown, at: string, example: string, read: (item: unknown, at: string) => T): T[] {
  if (!Array.isArray(value)) throw new ConfigError(`${at}: a list is wanted, such as [${example}]`)
  return value.map((item, i) => read(item, `${at}[${i}]`))
}

/** Text that `parse` understands. */
export function parsed<T>(value: unknown, at: string, parse: (text: string) => T): T {
  try {
    return parse(text(value, at))
  } catch (error) {
    if (error instanceof AddressError) throw new ConfigError(`${at}: ${error.message}`)
    throw error
  }
}
