// DER (ITU-T X.690) as it is written: a function a type, each giving the whole value.
import { TAG } from './tags.js'

type Bytes = Uint8Array

export function value(tag: number, ...content: readonly Bytes[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.of(tag, ...lengthOf(length)), ...content])
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const digits: number[] = []
  for (let rest = length; rest > 0; rest = rest >>> 8) digits.unshift(rest & 0xff)
  return [0x80 | digits.length, ...digits]
}

export const sequence = (...values: readonly Bytes[]): Buffer => value(TAG.sequence, ...values)
export const set = (one: Bytes): Buffer => value(TAG.set, one)
export const octetString = (bytes: Bytes): Buffer => value(TAG.octetString, bytes)
export const utf8String = (text: string): Buffer => value(TAG.utf8String, Buffer.from(text))
export const nothing = (): Buffer => value(TAG.null)
export const yes = (): Buffer => value(TAG.boolean, Buffer.of(0xff))

/** Of no sign: its first bit is 0. */
export const integer = (bytes: Bytes): Buffer => value(TAG.integer, bytes)

/** @param oddBits how many bits at the end do not count */
export const bitString = (bytes: Bytes, oddBits = 0): Buffer => value(TAG.bitString, Buffer.of(oddBits), bytes)

/** Bits by their numbers, as X.680 names them, from the left; none above 7. */
export function namedBits(...numbers: readonly number[]): Buffer {
  const byte = numbers.reduce((bits, number) => bits | 0x80 >> number, 0)
  return bitString(Buffer.of(byte), 7 - Math.max(...numbers))
}

/** @param text such as `2.5.29.17` */
export function objectIdentifier(text: string): Buffer {
  const [first, second, ...rest] = text.split('.').map(Number)
  return value(TAG.objectIdentifier, Buffer.from([40 * first + second, ...rest].flatMap(base128)))
}

/** A second; two digits of the year before 2050 (RFC 5280, 4.1.2.5). */
export function time(milliseconds: number): Buffer {
  const text = `${new Date(milliseconds).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`
  return text < '2050' ? value(TAG.utcTime, Buffer.from(text.slice(2))) : value(TAG.generalizedTime, Buffer.from(text))
}

function base128(number: number): number[] {
  const digits = [number % 128]
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | rest % 128)
  return digits
}
