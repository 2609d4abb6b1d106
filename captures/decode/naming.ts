// What the packets of a run are called: the document's number and name. Messages name themselves; TCP's own packets are named
// by the connection that they belong to, known by the end that was called (connection-names.ts); so are those of a stream over UDP.
import { decodePacket, type DatagramPacket } from '../../endpoints/message/index.js'
import { formatEndpoint } from '../../napt/wire/address.js'
import { FLAG } from '../../napt/wire/tcp.js'
import { FIG2_CONNECTIONS, type ConnectionName } from './connection-names.js'
import type { Decoded, Transport } from './decode.js'
import { labelOf, messageOf, portsOf, type PayloadDecoder } from './payload.js'
import { summarize } from './summary.js'
import { nameTls } from './tls-naming.js'
import type { TlsContent } from '../tls/follower.js'

export interface PacketName {
  readonly title: string
  /** The number of the message in it, or null. */
  readonly number: string | null
  /** Payload, bytes, of data that has no name of its own. */
  readonly size: number
  readonly isDetail: boolean
  /** What else is in it, for who wants every detail. */
  readonly beside?: readonly string[]
}

/**
 * Names a packet by what it looks like on the interfaces that it crossed; `views` has at least one. `tls` is what it completes, if it
 * belongs to a TLS connection.
 */
export function namePacket(views: readonly Decoded[], decoder: PayloadDecoder, connections: readonly ConnectionName[] = FIG2_CONNECTIONS, tls: TlsContent | null = null): PacketName {
  const [view] = views
  const { transport } = view
  if (transport === null) return { title: summarize(view), number: null, size: 0, isDetail: view.layers.at(-1)?.protocol !== 'ipv4' }
  const connection = transport.protocol === 'icmp' ? undefined : connectionOf(views, connections)
  const step = connection === undefined || connection.step === '' ? '' : `${connection.step} `
  if (tls !== null) return nameTlsPacket(tls, transport, connection, step, views)
  const message = messageOf(transport, decoder)
  const packet = transport.protocol === 'udp' ? decodePacket(transport.payload) : null
  if (message !== null) {
    const more = (message.length ?? transport.payload.length) < transport.payload.length ? ' …' : ''
    return { title: (message.number === null ? step : '') + labelOf(message) + more, number: message.number, size: 0, isDetail: false }
  }
  if (packet !== null) return { ...namePiece(packet, transport, decoder, connection, step), number: null }
  if (connection?.data !== undefined && transport.payload.length > 0) {
    const isThere = views.some(each => each.transport !== null && endOf(each.transport.destination) === connection.called)
    return { title: isThere ? connection.data.there : connection.data.back, number: null, size: transport.payload.length, isDetail: false }
  }
  if (transport.protocol !== 'tcp') return { title: summarize(view, decoder), number: null, size: 0, isDetail: false }
  return { ...nameSegment(transport, connection, step, views), number: null }
}

/** The connection's entry, when either end of any view is the end that is called. */
function connectionOf(views: readonly Decoded[], connections: readonly ConnectionName[]): ConnectionName | undefined {
  const ends = new Set(views.flatMap(({ transport }) => transport === null ? [] : [transport.source, transport.destination].map(endOf)))
  return connections.find(({ called, caller = called }) => ends.has(called) && ends.has(caller))
}

const endOf = ({ address, port }: Transport['source']): string => formatEndpoint(address, port)

/** A packet of which TLS alone has the use is called what TCP calls it, or what TLS does. */
function nameTlsPacket(tls: TlsContent, transport: Transport, connection: ConnectionName | undefined, step: string, views: readonly Decoded[]): PacketName {
  const of = connection === undefined ? '' : ` of ${connection.start}`
  const { titles, beside, number } = nameTls(tls, connection?.handshake, of, step)
  if (titles.length > 0) return { title: titles.join(', '), number, size: tls.rest, isDetail: false, beside }
  const closing = (transport.flags & (FLAG.fin | FLAG.rst)) === 0 ? null : nameSegment({ ...transport, payload: new Uint8Array(0) }, connection, step, views)
  if (closing !== null) return { ...closing, number: null, beside }
  const title = tls.isAgain ? 'TCP retransmission' : beside.length > 0 ? beside.join(', ') : 'part of a TLS record'
  return { title: title + of, number: null, size: 0, isDetail: true }
}

function nameSegment({ flags, payload }: Transport, connection: ConnectionName | undefined, step: string, views: readonly Decoded[]): Omit<PacketName, 'number'> {
  const of = connection === undefined ? '' : ` of ${connection.start}`
  if ((flags & FLAG.rst) !== 0) return { title: `TCP reset${of}`, size: 0, isDetail: false }
  if ((flags & FLAG.syn) !== 0) {
    return (flags & FLAG.ack) !== 0
      ? { title: `TCP handshake${of}`, size: 0, isDetail: true }
      : { title: connection === undefined ? 'TCP connection start' : `${connection.start} TCP connection start`, size: 0, isDetail: false }
  }
  if (payload.length > 0) return { title: step === '' ? `data${of}` : `${step}data`, size: payload.length, isDetail: false }
  if ((flags & FLAG.fin) !== 0 && connection?.end !== undefined && views.some(each => each.transport !== null && endOf(each.transport.source) === connection.caller)) {
    return { title: `${connection.end} TCP disconnection`, size: 0, isDetail: false }
  }
  if ((flags & FLAG.fin) !== 0) return { title: `TCP close${of}`, size: 0, isDetail: false }
  return { title: `TCP acknowledgement${of}`, size: 0, isDetail: true }
}

/** What packets of a stream over UDP are called; one of data by what it carries. */
export const PIECE_TITLES: Readonly<Record<DatagramPacket['kind'] | 'keepAlive', string>> = {
  open: 'UDP connection start', accept: 'UDP handshake', data: 'data', end: 'UDP close', acknowledgement: 'UDP acknowledgement', reset: 'UDP reset',
  keepAlive: 'UDP keep-alive',
}

/** A packet of a stream over UDP; its data is called by the message that begins in it, as a segment's is. */
function namePiece(packet: DatagramPacket, transport: Transport, decoder: PayloadDecoder, connection: ConnectionName | undefined, step: string): Omit<PacketName, 'number'> {
  const of = connection === undefined ? '' : ` of ${connection.start}`
  const title = PIECE_TITLES[packet.kind]
  switch (packet.kind) {
    case 'open': return { title: connection === undefined ? title : `${connection.start} ${title}`, size: 0, isDetail: false }
    case 'accept':
    case 'acknowledgement': return { title: title + of, size: 0, isDetail: true }
    case 'reset': return { title: title + of, size: 0, isDetail: false }
    default: {
      const { bytes, kind } = packet
      if (bytes.length === 0) return kind === 'end' ? { title: title + of, size: 0, isDetail: false } : { title: PIECE_TITLES.keepAlive + of, size: 0, isDetail: true }
      const message = decoder('tcp', portsOf(transport), bytes)
      if (message === null) return { title: step === '' ? `data${of}` : `${step}data`, size: bytes.length, isDetail: false }
      return { title: step + labelOf(message) + ((message.length ?? bytes.length) < bytes.length ? ' …' : ''), size: 0, isDetail: false }
    }
  }
}
