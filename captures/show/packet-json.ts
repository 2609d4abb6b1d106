// A packet as one JSON object a line, for machines. docs/show.md documents the fields; new ones may come, none goes.
import { formatFlags } from '../../napt/wire/tcp.js'
import { formatValue } from '../decode/payload.js'
import { printable } from '../decode/text-width.js'
import { timeText } from './columns.js'
import { detailsOf, endsOf } from './details.js'
import type { Hosts } from './hosts.js'
import { packetWords } from './packet-line.js'
import type { PacketLook } from './packet-look.js'

/** `relative`: nanoseconds since the file's first packet. With `verbose`, the fields of each layer too. */
export function packetToJson(look: PacketLook, relative: bigint, hosts: Hosts, verbose: boolean): string {
  const { packet, decoded, name, verdict } = look, { transport } = decoded
  const checksums = decoded.layers.flatMap(({ protocol, checksum }) => checksum === undefined ? [] : [[protocol, checksum] as const])
  const object = {
    frame: packet.number,
    time: timeText(packet.time),
    relative: Number(relative) / 1e6,
    interface: packet.interface.name,
    interfaceId: packet.interface.id,
    direction: packet.direction,
    packetId: packet.packetId === null ? null : String(packet.packetId),
    length: packet.originalLength,
    captured: packet.bytes.length,
    protocol: transport?.protocol ?? decoded.layers.at(-1)?.protocol ?? null,
    ...endsOf(decoded),
    ...(transport?.protocol === 'tcp' ? { flags: formatFlags(transport.flags), sequence: transport.sequence, acknowledgement: transport.acknowledgement } : {}),
    payload: transport?.payload.length ?? null,
    checksums: Object.fromEntries(checksums),
    defect: decoded.defect,
    name: name?.title ?? null,
    messages: (name?.messages ?? []).map(message => ({
      number: message.number, name: message.name, fields: Object.fromEntries(message.fields.map(field => [field.name, formatValue(field)])),
    })),
    summary: packetWords(decoded, name, hosts),
    verdict,
    comment: packet.comment,
    ...(verbose ? { layers: detailsOf(decoded, name, hosts) } : {}),
  }
  // What JSON leaves as it is but a terminal acts on becomes an escape of JSON's.
  return printable(JSON.stringify(object))
}
