// The byte layout of rtnetlink messages: a header, a fixed part, then attributes that may hold attributes themselves.
// Netlink speaks the machine's byte order; Node's Linux builds of today (x64, arm64, …) are little-endian save s390x.
import { endianness } from 'node:os'

export const LITTLE = endianness() === 'LE'
export const HEADER = 16
const ATTRIBUTE_HEADER = 4

const aligned = (length: number): number => (length + 3) & ~3

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, LITTLE)
  return bytes
}

/** Text with the zero byte at its end. */
export const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`)

/** One attribute, filled up to a multiple of four bytes. Several parts make a nested attribute. */
export function attribute(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const payload = join(parts)
  const bytes = new Uint8Array(aligned(ATTRIBUTE_HEADER + payload.length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, ATTRIBUTE_HEADER + payload.length, LITTLE)
  view.setUint16(2, type, LITTLE)
  bytes.set(payload, ATTRIBUTE_HEADER)
  return bytes
}

/** A whole message: `nlmsghdr` and the parts. */
export function message(type: number, flags: number, sequence: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const payload = join(parts)
  const bytes = new Uint8Array(HEADER + payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length, LITTLE)
  view.setUint16(4, type, LITTLE)
  view.setUint16(6, flags, LITTLE)
  view.setUint32(8, sequence, LITTLE)
  bytes.set(payload, HEADER)
  return bytes
}

/** `ifinfomsg`: which interface, and which of its flags change to what. */
export function linkHeader(index = 0, flags = 0, change = 0): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setInt32(4, index, LITTLE)
  view.setUint32(8, flags, LITTLE)
  view.setUint32(12, change, LITTLE)
  return bytes
}

/** `tcmsg`: of a queueing discipline or a filter of an interface. */
export function trafficHeader(index: number, handle: number, parent: number, info = 0): Uint8Array {
  const bytes = new Uint8Array(20), view = new DataView(bytes.buffer)
  view.setInt32(4, index, LITTLE)
  view.setUint32(8, handle, LITTLE)
  view.setUint32(12, parent, LITTLE)
  view.setUint32(16, info, LITTLE)
  return bytes
}

export interface Message { readonly type: number, readonly flags: number, readonly sequence: number, readonly payload: Uint8Array }

/** The messages of one datagram; views, not copies. */
export function* messages(datagram: Uint8Array): Generator<Message> {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  for (let at = 0; at + HEADER <= datagram.length;) {
    const length = view.getUint32(at, LITTLE)
    if (length < HEADER || at + length > datagram.length) return
    yield {
      type: view.getUint16(at + 4, LITTLE), flags: view.getUint16(at + 6, LITTLE), sequence: view.getUint32(at + 8, LITTLE),
      payload: datagram.subarray(at + HEADER, at + length),
    }
    at += aligned(length)
  }
}

/** Attributes by type; views, not copies. */
export function attributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const found = new Map<number, Uint8Array>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + ATTRIBUTE_HEADER <= bytes.length;) {
    const length = view.getUint16(at, LITTLE)
    if (length < ATTRIBUTE_HEADER || at + length > bytes.length) break
    found.set(view.getUint16(at + 2, LITTLE), bytes.subarray(at + ATTRIBUTE_HEADER, at + length))
    at += aligned(length)
  }
  return found
}

export function readU32(bytes: Uint8Array | undefined): number {
  return bytes && bytes.length >= 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, LITTLE) : 0
}

export function readText(bytes: Uint8Array | undefined): string {
  if (!bytes) return ''
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
