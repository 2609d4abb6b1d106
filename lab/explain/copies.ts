// The copies of one packet in a capture file: on both sides of a router, and along its whole way. They share a packet ID; where a
// file has none, what a NAT leaves alone tells them, and that they stand close together.
import { CaptureStream } from '../../captures/files/capture-stream.js'
import { decode, type Decoded, type Ends } from '../../captures/decode/decode.js'
import { CaptureFileError } from '../../captures/files/pcap.js'
import type { InterfacePacket } from '../../captures/files/pcapng/format.js'
import { PacketNamer, type ShownName } from '../../captures/show/naming.js'
import { PacketLook } from '../../captures/show/packet-look.js'
import { StreamKeys } from '../../captures/show/stream-keys.js'
import type { KeySource } from '../../captures/tls/key-log.js'

/** Copies are looked for so far behind a packet and before it, nanoseconds: the longest wait in a router is that of a fragment, 30 s. */
const LONGEST_WAIT = 60_000_000_000n
/** Where content alone ties copies: the time that a router takes, with its clock and that of another. Nanoseconds. */
const TRANSIT = 1_000_000_000n
/** As many are kept: a packet crosses two routers, and may be in pieces. */
const MOST_COPIES = 256

/** A frame that the file does not have. */
export class NoSuchFrameError extends Error {
  override readonly name = 'NoSuchFrameError'
}

/** A frame, and what `show` calls it: by what is in it, opened where there are keys. */
export interface FoundFrame { readonly packet: InterfacePacket, readonly name: ShownName | null }

/**
 * @param number from 1. @param keys beside those that the file itself brings
 * @throws NoSuchFrameError beyond the end; CaptureFileError when the file is no capture, or ends in damage before it
 */
export async function findFrame(file: string, number: number, keys: KeySource | null = null): Promise<FoundFrame> {
  const stream = await CaptureStream.open(file), look = new PacketLook(new PacketNamer(new StreamKeys(stream, keys), stream.names))
  let last = 0
  for await (const packets of stream.batches()) {
    for (const packet of packets) {
      look.load(packet) // all of them: connections are followed from their beginning
      if (packet.number === number) return { packet: kept(packet), name: look.name }
    }
    last += packets.length
  }
  if (stream.damage !== null) throw new CaptureFileError(file, stream.damage.offset, `frame ${number} is behind ${last} good ones and damage: ${stream.damage.found}`, stream.damage.advice)
  throw new NoSuchFrameError(`${file} has ${last === 1 ? '1 frame' : `${last} frames`}; there is no frame ${number}`)
}

/** Every copy of a packet, itself among them, in the order of the file; `isById` false where only their content ties them. */
export async function findCopies(file: string, packet: InterfacePacket): Promise<{ readonly copies: readonly InterfacePacket[], readonly isById: boolean }> {
  const isById = packet.packetId !== null, decoded = decode(packet.bytes, packet.interface.linkType), key = isById ? '' : contentKey(decoded)
  if (!isById && key === null) return { copies: [packet], isById }
  const reach = isById ? LONGEST_WAIT : TRANSIT, copies: InterfacePacket[] = []
  const stream = await CaptureStream.open(file)
  for await (const packets of stream.batches()) {
    for (const each of packets) {
      if (each.time < packet.time - reach || each.time > packet.time + reach || copies.length >= MOST_COPIES) continue
      if (isById ? each.packetId === packet.packetId : isAlike(decode(each.bytes, each.interface.linkType), decoded, key)) copies.push(kept(each))
    }
    if (packets.length > 0 && packets[packets.length - 1].time > packet.time + 2n * reach) break
  }
  return { copies: isById ? copies : nearest(copies, packet), isById }
}

/** The same content may be sent again and again: of each interface, the copy that is closest in time. */
function nearest(copies: readonly InterfacePacket[], packet: InterfacePacket): InterfacePacket[] {
  const distance = ({ time }: InterfacePacket): bigint => time < packet.time ? packet.time - time : time - packet.time
  const best = new Map<number, InterfacePacket>()
  for (const each of copies) {
    const other = best.get(each.interface.id)
    if (each.number === packet.number || (other?.number !== packet.number && (other === undefined || distance(each) < distance(other)))) best.set(each.interface.id, each)
  }
  return [...best.values()].sort((a, b) => a.number - b.number)
}

/** A NAT leaves the remote end as it is, which is the destination on the way out and the source on the way in. */
function isAlike(each: Decoded, packet: Decoded, key: string | null): boolean {
  if (each.transport === null || packet.transport === null || contentKey(each) !== key) return false
  const isSame = (a: Ends['source'], b: Ends['source']): boolean => a.address === b.address && a.port === b.port
  return isSame(each.transport.source, packet.transport.source) || isSame(each.transport.destination, packet.transport.destination)
}

/** Batches go; what is kept of them is a copy of its own. */
const kept = (packet: InterfacePacket): InterfacePacket => ({ ...packet, bytes: packet.bytes.slice() })

/** What a NAT does not touch; null for what has no such thing. */
function contentKey({ transport }: Decoded): string | null {
  if (transport === null) return null
  const { protocol, flags, sequence, acknowledgement, payload } = transport
  // An ICMP message's payload begins behind its identifier; an error's quotes addresses that a NAT rewrites.
  const content = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('latin1')
  return `${protocol} ${flags} ${sequence} ${acknowledgement} ${content}`
}
