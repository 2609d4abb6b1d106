// Consecutive datagrams of one flow, sent as one frame that the kernel takes apart at their receiver's socket (UDP GSO, Linux 6.2): what
// a datagram costs is mostly its way through cable, IP and routes, and many then go it once. As the kernel's GRO does it: only datagrams
// whose headers say the same, of one length but for a shorter last one, and with a right checksum, for the kernel makes new ones.
import { NEEDS_CHECKSUM, GSO_SIZE, GSO_TYPE, VIRTIO_HEADER } from '../system/frame-arena.js'
import { fold } from '../wire/checksum.js'

/** What the kernel takes apart at once (UDP_MAX_SEGMENTS before Linux 6.9). */
export const MOST_SEGMENTS = 64

// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const TYPE_AT = 12, IP = 14, TOTAL_LENGTH = 16, IDENTIFICATION = 18, FRAGMENT = 20, HOPS_AND_PROTOCOL = 22, IP_CHECKSUM = 24, SOURCE = 26, DESTINATION = 30
const PORTS = 34, LENGTH = 38, CHECKSUM = 40
/** Where the payload begins: behind Ethernet, IP without options, and UDP. */
export const PAYLOAD = 42
const IP_HEADER = 20, UDP_HEADER = 8
const TYPE_IPV4 = 0x0800, UDP = 17, PLAIN_HEADER = 0x45, NOT_FRAGMENT = 0x3fff, DONT_FRAGMENT = 0x4000
const LONGEST_PACKET = 0xffff
/** In the virtio header (linux/virtio_net.h): its other fields, and the type of these segments. */
const FLAGS = 0, HEADER_LENGTH = 2, CHECKSUM_START = 6, CHECKSUM_OFFSET = 8, GSO_UDP_L4 = 5

/** UDP over IPv4, whatever else is odd about it. Offsets of frames are where Ethernet begins. */
export const isUdp = (frame: DataView, at: number, end: number): boolean =>
  end - at >= PAYLOAD && frame.getUint16(at + TYPE_AT) === TYPE_IPV4 && (frame.getUint16(at + HOPS_AND_PROTOCOL) & 0xff) === UDP

/** Such a one that may be a segment: no options, no fragment, a payload that fills the packet, and a checksum. */
export function isPlain(frame: DataView, at: number, end: number): boolean {
  const length = frame.getUint16(at + TOTAL_LENGTH), udp = frame.getUint16(at + LENGTH)
  return frame.getUint8(at + IP) === PLAIN_HEADER && (frame.getUint16(at + FRAGMENT) & NOT_FRAGMENT) === 0 && length <= end - at - IP
    && udp === length - IP_HEADER && udp > UDP_HEADER && frame.getUint16(at + CHECKSUM) !== 0
}

/** The same for all datagrams of a flow; 32 bits. */
export const datagramHash = (frame: DataView, at: number): number =>
  Math.imul(frame.getInt32(at + SOURCE) ^ Math.imul(frame.getInt32(at + DESTINATION), 0x85ebca6b) ^ frame.getInt32(at + PORTS), 0x9e3779b1)

/** Bytes. */
export const payloadLength = (frame: DataView, at: number): number => frame.getUint16(at + LENGTH) - UDP_HEADER

/** Segments of this length that one packet may be made of. */
export const mostSegments = (length: number): number => Math.min(MOST_SEGMENTS, Math.trunc((LONGEST_PACKET - IP_HEADER - UDP_HEADER) / length))

/**
 * Whether the plain datagram `next` can be the segment `nth` (from 1 on) of a packet that begins with the plain datagram `first`, as far
 * as headers tell. The identifications of those that must not be fragmented mean nothing (RFC 6864 §4.1); others count on, as the
 * kernel's segments will.
 */
export function continues(frame: DataView, first: number, next: number, nth: number): boolean {
  const fragment = frame.getUint16(first + FRAGMENT)
  return frame.getInt32(first + PORTS) === frame.getInt32(next + PORTS) && frame.getInt32(first + SOURCE) === frame.getInt32(next + SOURCE)
    && frame.getInt32(first + DESTINATION) === frame.getInt32(next + DESTINATION) && frame.getUint16(first + LENGTH) >= frame.getUint16(next + LENGTH)
    && frame.getUint16(first + IP) === frame.getUint16(next + IP) && frame.getUint16(first + HOPS_AND_PROTOCOL) === frame.getUint16(next + HOPS_AND_PROTOCOL)
    && frame.getUint16(next + FRAGMENT) === fragment
    && ((fragment & DONT_FRAGMENT) !== 0 || (frame.getUint16(first + IDENTIFICATION) + nth & 0xffff) === frame.getUint16(next + IDENTIFICATION))
    && frame.getInt32(first) === frame.getInt32(next) && frame.getInt32(first + 4) === frame.getInt32(next + 4) && frame.getInt32(first + 8) === frame.getInt32(next + 8)
}

/** Whether the complete checksum of a plain datagram is right. */
export function checksumHolds(frame: DataView, at: number): boolean {
  const length = frame.getUint16(at + LENGTH), end = at + PORTS + length
  let sum = UDP + length, from = at + SOURCE
  for (; from + 4 <= end; from += 4) {
    const word = frame.getInt32(from)
    sum += (word >>> 16) + (word & 0xffff)
  }
  if (from + 2 <= end) {
    sum += frame.getUint16(from)
    from += 2
  }
  if (from < end) sum += frame.getUint8(from) << 8
  return fold(sum) === 0xffff
}

/**
 * Makes the plain datagram at `at`, whose virtio header stands in front of it, the head of a packet with `payload` bytes of UDP payload,
 * which the kernel takes apart into segments as long as the head's. The checksum becomes a partial one.
 */
export function becomePacket(frame: DataView, at: number, payload: number): void {
  const virtio = at - VIRTIO_HEADER, segment = payloadLength(frame, at)
  frame.setUint8(virtio + FLAGS, NEEDS_CHECKSUM)
  frame.setUint8(virtio + GSO_TYPE, GSO_UDP_L4)
  frame.setUint16(virtio + HEADER_LENGTH, PAYLOAD, true)
  frame.setUint16(virtio + GSO_SIZE, segment, true)
  frame.setUint16(virtio + CHECKSUM_START, PORTS, true)
  frame.setUint16(virtio + CHECKSUM_OFFSET, CHECKSUM - PORTS, true)
  const before = frame.getUint16(at + TOTAL_LENGTH), length = UDP_HEADER + payload, after = IP_HEADER + length
  // RFC 1624, equation 3.
  frame.setUint16(at + IP_CHECKSUM, ~fold((~frame.getUint16(at + IP_CHECKSUM) & 0xffff) + (~before & 0xffff) + after) & 0xffff)
  frame.setUint16(at + TOTAL_LENGTH, after)
  frame.setUint16(at + LENGTH, length)
  let sum = UDP + length
  for (let word = SOURCE; word < PORTS; word += 2) sum += frame.getUint16(at + word)
  frame.setUint16(at + CHECKSUM, fold(sum))
}
