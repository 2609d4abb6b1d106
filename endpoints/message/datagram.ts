// The packets of S209 over UDP (datagram-stream/connection.ts says what they are for): one a datagram, to bytes and back. Bytes come
// from the network: nothing here throws on any of them, and whatever is not exactly one packet reads as null.
//
//   byte 0   0x81: no message begins so (bit 7), version 1
//   byte 1   type
//   2 – 9    connection ID: the receiver's, or in `open` the sender's own
//   10 –     as the type has it, below; numbers are big-endian, and those of 6 bytes never wrap
//   last 4   CRC-32 of all before: the checksum of UDP may be left out or weak
import { crc32 } from 'node:zlib'

const MARK = 0x81
const ID = 2, BODY = 10, TRAILER = 4
const NUMBER = 6
/** Bytes of a connection ID: random, so that nobody off the path can guess one. */
export const CONNECTION_ID_LENGTH = 8

/** The largest datagram, bytes of UDP payload: it passes wherever QUIC does (RFC 9000 §14). */
export const MAX_DATAGRAM = 1200
/** What a `data` packet takes for itself. */
export const DATA_OVERHEAD = BODY + 2 * NUMBER + TRAILER
/** In one acknowledgement. */
export const MAX_RANGES = 32

const TYPE = { open: 1, accept: 2, data: 3, end: 4, acknowledgement: 5, reset: 6 } as const
const KIND = new Map(Object.entries(TYPE).map(([kind, type]) => [type as number, kind as keyof typeof TYPE]))

/** Bytes that came behind the first hole: from here up to but not including there, positions in the stream. */
export interface Range { readonly from: number, readonly to: number }

/** IDs and tokens are hexadecimal digits. A position is a byte's place in the stream of its direction; a limit is one, too. */
export type DatagramPacket =
  /** `limit`: the other end may send bytes before this position. */
  | { readonly kind: 'open', readonly id: string, readonly token: string, readonly limit: number }
  | { readonly kind: 'accept', readonly id: string, readonly ownId: string, readonly limit: number }
  /** `number` counts packets, each sending anew. `end`: nothing follows; that is a position of its own. Without bytes and end it asks for an acknowledgement. */
  | { readonly kind: 'data' | 'end', readonly id: string, readonly number: number, readonly position: number, readonly bytes: Uint8Array }
  /** `largest`: of the packet numbers that came. `position`: all before it has come. */
  | { readonly kind: 'acknowledgement', readonly id: string, readonly largest: number, readonly position: number, readonly limit: number, readonly ranges: readonly Range[] }
  | { readonly kind: 'reset', readonly id: string }

const RANGE_LENGTH = 8

interface DatagramPart { readonly key: string, readonly title: string, readonly length: number }

const number = (key: string, title: string): DatagramPart => ({ key, title, length: NUMBER })
const hexadecimal = (key: string, title: string): DatagramPart => ({ key, title, length: CONNECTION_ID_LENGTH })
const DATA_PARTS = [number('number', 'packet number'), number('position', 'position in the stream')]

/** The packets as a table, for dissectors: what stands behind mark, type and connection ID; then bytes of the stream, or ranges; then the checksum. */
export const DATAGRAM_LAYOUT: { readonly mark: number, readonly idAt: number, readonly bodyAt: number, readonly trailer: number, readonly range: number, readonly kinds: Readonly<Record<DatagramPacket['kind'], {
  readonly type: number, readonly parts: readonly DatagramPart[], readonly rest?: 'bytes' | 'ranges',
}>> } = {
  mark: MARK, idAt: ID, bodyAt: BODY, trailer: TRAILER, range: RANGE_LENGTH,
  kinds: {
    open: { type: TYPE.open, parts: [hexadecimal('token', 'request token'), number('limit', 'limit')] },
    accept: { type: TYPE.accept, parts: [hexadecimal('ownId', 'own connection ID'), number('limit', 'limit')] },
    data: { type: TYPE.data, parts: DATA_PARTS, rest: 'bytes' },
    end: { type: TYPE.end, parts: DATA_PARTS, rest: 'bytes' },
    acknowledgement: { type: TYPE.acknowledgement, parts: [number('largest', 'largest packet number'), number('position', 'position in the stream'), number('limit', 'limit')], rest: 'ranges' },
    reset: { type: TYPE.reset, parts: [] },
  },
}

export function encodePacket(packet: DatagramPacket): Uint8Array {
  const out = Buffer.allocUnsafe(BODY + bodyLength(packet) + TRAILER)
  out[0] = MARK
  out[1] = TYPE[packet.kind]
  out.write(packet.id, ID, CONNECTION_ID_LENGTH, 'hex')
  switch (packet.kind) {
    case 'open':
    case 'accept':
      out.write(packet.kind === 'open' ? packet.token : packet.ownId, BODY, CONNECTION_ID_LENGTH, 'hex')
      out.writeUIntBE(packet.limit, BODY + CONNECTION_ID_LENGTH, NUMBER)
      break
    case 'data':
    case 'end':
      out.writeUIntBE(packet.number, BODY, NUMBER)
      out.writeUIntBE(packet.position, BODY + NUMBER, NUMBER)
      out.set(packet.bytes, BODY + 2 * NUMBER)
      break
    case 'acknowledgement': {
      const { largest, position, limit, ranges } = packet
      for (const [at, value] of [largest, position, limit].entries()) out.writeUIntBE(value, BODY + at * NUMBER, NUMBER)
      for (const [at, { from, to }] of ranges.entries()) {
        out.writeUInt32BE(from - position, BODY + 3 * NUMBER + at * RANGE_LENGTH)
        out.writeUInt32BE(to - from, BODY + 3 * NUMBER + at * RANGE_LENGTH + 4)
      }
      break
    }
    case 'reset': break
  }
  out.writeUInt32BE(crc32(out.subarray(0, -TRAILER)), out.length - TRAILER)
  return out
}

function bodyLength(packet: DatagramPacket): number {
  switch (packet.kind) {
    case 'open':
    case 'accept': return CONNECTION_ID_LENGTH + NUMBER
    case 'data':
    case 'end': return 2 * NUMBER + packet.bytes.length
    case 'acknowledgement': return 3 * NUMBER + packet.ranges.length * RANGE_LENGTH
    case 'reset': return 0
  }
}

/** The packet in a datagram, or null when there is none. The bytes of `data` are a view of the datagram. */
export function decodePacket(datagram: Uint8Array): DatagramPacket | null {
  if (datagram[0] !== MARK || datagram.length < BODY + TRAILER || datagram.length > MAX_DATAGRAM) return null
  const kind = KIND.get(datagram[1])
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length - TRAILER)
  if (kind === undefined || Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length).readUInt32BE(bytes.length) !== crc32(bytes)) return null
  return decodeBody(kind, bytes.toString('hex', ID, BODY), bytes.subarray(BODY))
}

function decodeBody(kind: keyof typeof TYPE, id: string, body: Buffer): DatagramPacket | null {
  const number = (at: number): number => body.readUIntBE(at, NUMBER)
  switch (kind) {
    case 'open':
    case 'accept': {
      if (body.length !== CONNECTION_ID_LENGTH + NUMBER) return null
      const other = body.toString('hex', 0, CONNECTION_ID_LENGTH), limit = number(CONNECTION_ID_LENGTH)
      return kind === 'open' ? { kind, id, token: other, limit } : { kind, id, ownId: other, limit }
    }
    case 'data':
    case 'end':
      return body.length < 2 * NUMBER ? null : { kind, id, number: number(0), position: number(NUMBER), bytes: body.subarray(2 * NUMBER) }
    case 'acknowledgement': {
      if (body.length < 3 * NUMBER) return null
      const ranges = decodeRanges(body.subarray(3 * NUMBER), number(NUMBER))
      return ranges && { kind, id, largest: number(0), position: number(NUMBER), limit: number(2 * NUMBER), ranges }
    }
    case 'reset': return body.length === 0 ? { kind, id } : null
  }
}

/** Ranges rise, and none is empty or touches what is before it. */
function decodeRanges(bytes: Buffer, position: number): Range[] | null {
  if (bytes.length % RANGE_LENGTH !== 0 || bytes.length > MAX_RANGES * RANGE_LENGTH) return null
  const ranges: Range[] = []
  let before = position
  for (let at = 0; at < bytes.length; at += RANGE_LENGTH) {
    const from = position + bytes.readUInt32BE(at), to = from + bytes.readUInt32BE(at + 4)
    if (from <= before || to <= from) return null
    ranges.push({ from, to })
    before = to
  }
  return ranges
}
