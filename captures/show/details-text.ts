// The details of a packet for people: a line a field, offset and bytes on the left.
//
//     ipv4, checksum right
//       26  c0 a8 01 03              SA                192.168.1.3 (103)
import { printable } from '../decode/text-width.js'
import { timeText } from './columns.js'
import { detailsOf, type DetailField } from './details.js'
import type { Hosts } from './hosts.js'
import type { PacketLook } from './packet-look.js'
import type { Paint } from './packet-line.js'

/** Characters of a value that are shown. */
const SHOWN = 120
const OFFSET = 6, BYTES = 24, NAME = 22

/** Lines below the packet's own. */
export function detailLines(look: PacketLook, hosts: Hosts, paint: Paint): string[] {
  const { packet, decoded, name } = look
  const layers = detailsOf(decoded, name, hosts).flatMap(layer => [
    `    ${paint(printable(layer.name), 'good')}${layer.note === '' ? '' : `, ${layer.note}`}`,
    ...layer.fields.map(field => fieldLine(field, paint)),
  ])
  const payload = decoded.transport === null || decoded.transport.payload.length === 0 || name?.messageOffset === 0 ? []
    : [`    payload of ${decoded.transport.payload.length} bytes from byte ${decoded.transport.payloadOffset}`]
  const beside = name === null || name.beside.length === 0 ? [] : [`    also ${name.beside.join(', ')}`]
  const comment = packet.comment === '' ? [] : ['    comment', ...packet.comment.split('\n').map(line => `      ${printable(line)}`)]
  return [...layers, ...payload, ...beside, `    ${factsOf(look)}`, ...comment, '']
}

function fieldLine({ name, value, offset, bytes, length }: DetailField, paint: Paint): string {
  const place = offset === null ? '' : String(offset)
  const hex = offset === null ? '' : bytes === null ? `•• (${length} bytes)` : spaced(bytes)
  const text = typeof value === 'number' ? String(value) : printable(value)
  return `${paint(`  ${place.padStart(OFFSET)}  ${hex.padEnd(BYTES)}`, 'dim')}  ${name.padEnd(NAME)}  ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}`
}

/** `c0a80103` as `c0 a8 01 03`. */
function spaced(hex: string): string {
  let text = hex.slice(0, 2)
  for (let at = 2; at < hex.length; at += 2) text += ` ${hex.slice(at, at + 2)}`
  return text
}

/** What the file says of the packet. */
function factsOf({ packet: { time, bytes, originalLength, direction, packetId } }: PacketLook): string {
  const length = bytes.length === originalLength ? `${originalLength} bytes` : `${originalLength} bytes, of which the file has ${bytes.length}`
  return [timeText(time), length, ...(direction === null ? [] : [direction]), ...(packetId === null ? [] : [`packet ID ${packetId}`])].join(', ')
}
