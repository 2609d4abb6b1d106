// What packets of a file are called, one after the other: by the documents' numbers and names, as naming.ts has them, with the TLS
// connections followed and opened. A packet that is nothing of the documents has no name here; its summary says what it is.
import { decodePacket, DEFINITIONS, VERSION } from '../../endpoints/message/index.js'
import { formatEndpoint, parseEndpoint, parseIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import type { Decoded, Transport } from '../decode/decode.js'
import { FIG2_CONNECTIONS, type ConnectionName } from '../decode/connection-names.js'
import { namePacket } from '../decode/naming.js'
import { messageOf, portsOf, type Message } from '../decode/payload.js'
import { decodePayload } from '../decode/protocol.js'
import { TlsFollower } from '../tls/follower.js'
import type { KeySource } from '../tls/key-log.js'
import { looksLikeTls } from '../tls/records.js'

export interface ShownName {
  /** As in `201 equipment registration`, `TCP handshake of 211`, `data`. */
  readonly title: string
  /** Payload, bytes, of data that has no name of its own. */
  readonly size: number
  /** What else is in it, for who wants every detail. */
  readonly beside: readonly string[]
  /** The messages in it, those of decrypted records too. */
  readonly messages: readonly Message[]
  /** Where the one message of a packet stands, bytes from its payload's beginning; null without one, and for those of decrypted records. */
  readonly messageOffset: number | null
}

/** Keys, and whether there are any: without, following connections is of no use but for those that the documents know. */
export interface ShownKeys extends KeySource { readonly hasSecrets: boolean }

/** The connection of packet 208 as the LAN of 102 sees it: behind the static mapping of its router (Fig. 12). */
const BEHIND_MAPPING: ConnectionName = { called: '192.168.1.11:1600', start: '208', step: 'S209' }
const CONNECTIONS: readonly ConnectionName[] = [...FIG2_CONNECTIONS, BEHIND_MAPPING]
const CALLED = CONNECTIONS.map(({ called }) => parseEndpoint(called))
/** The server of Fig. 2. Where a file calls its address otherwise, it shows another system, whose connections have other numbers. */
const SERVER = { address: parseIpv4('130.74.23.6'), name: '101' }

/** TLS connections that are followed at a time. */
const MOST_FOLLOWED = 4096
/** Marks of flows that are followed, by a hash of their ends. */
const MARKS = 1 << 16

export class PacketNamer {
  readonly #keys: ShownKeys
  readonly #names: ReadonlyMap<Ipv4Address, string>
  readonly #follower: TlsFollower
  readonly #followed = new Set<string>()
  readonly #marks = new Uint8Array(MARKS)
  readonly #knownPorts = new Uint8Array(65536)

  /** `names`: as the file has them, growing as it is read. */
  constructor(keys: ShownKeys, names: ReadonlyMap<Ipv4Address, string>) {
    this.#keys = keys
    this.#names = names
    this.#follower = new TlsFollower(keys, decodePayload)
    for (const { port } of CALLED) this.#knownPorts[port] = 1
  }

  /** Each packet is to be named once, in the order of the file; `where` tells its interface from others. */
  name(decoded: Decoded, where: string): ShownName | null {
    const { transport } = decoded
    if (transport === null || transport.protocol === 'icmp') return null
    const isKnown = this.#isFig2() && CONNECTIONS.some(({ called }) => called === endOf(transport.source) || called === endOf(transport.destination))
    const tls = transport.protocol === 'tcp' && this.#isFollowed(transport, where, isKnown) ? this.#follower.follow(where, transport) : null
    if (tls === null && !isKnown && transport.protocol === 'tcp') {
      const title = helloIn(transport.payload)
      if (title !== null) return { title, size: 0, beside: [], messages: [], messageOffset: null }
    }
    const piece = transport.protocol === 'udp' ? pieceIn(transport) : null
    const found = tls === null ? messageIn(transport, piece) : null
    if (tls === null && found === null && piece === null && !(isKnown && transport.protocol === 'tcp')) return null
    const { title, size, beside = [] } = namePacket([decoded], decodePayload, this.#isFig2() ? CONNECTIONS : [], tls)
    return { title, size, beside, messages: tls?.messages ?? (found === null ? [] : [found.message]), messageOffset: found?.offset ?? null }
  }

  /** False where a packet is sure to have no name, by its ends and the first two bytes of its payload (-1 for none): `name` may be left out for it. */
  mayHaveName(isTcp: boolean, source: number, sourcePort: number, destination: number, destinationPort: number, first: number, second: number): boolean {
    if (first === VERSION && second >= 0 && IS_TYPE[second] !== 0) return true
    if (!isTcp) return first === PIECE
    if (first === TLS_HANDSHAKE && (second === TLS_MAJOR || second < 0)) return true
    if (this.#marks[markOf(source, sourcePort, destination, destinationPort)] !== 0) return true
    if (this.#knownPorts[sourcePort] === 0 && this.#knownPorts[destinationPort] === 0) return false
    return CALLED.some(({ address, port }) => (address === source && port === sourcePort) || (address === destination && port === destinationPort))
  }

  #isFig2(): boolean { return (this.#names.get(SERVER.address) ?? SERVER.name) === SERVER.name }

  /** A connection that the documents know is followed from its SYN; any other, if there is something to open it with, from its handshake on. */
  #isFollowed({ source, destination, payload }: Transport, where: string, isKnown: boolean): boolean {
    const key = `${where} ${[endOf(source), endOf(destination)].sort().join(' ')}`
    if (isKnown || this.#followed.has(key)) return true
    if (!this.#keys.hasSecrets || !looksLikeTls(payload)) return false
    if (this.#followed.size >= MOST_FOLLOWED) this.#forget()
    this.#followed.add(key)
    this.#marks[markOf(source.address, source.port, destination.address, destination.port)] = 1
    return true
  }

  /** The oldest half goes; marks stay, which cost time alone. */
  #forget(): void {
    let left = MOST_FOLLOWED / 2
    for (const key of this.#followed) {
      if (left-- === 0) return
      this.#followed.delete(key)
    }
  }
}

/** The endpoints' messages begin with their version and one of these. */
const IS_TYPE = new Uint8Array(256)
for (const { type } of DEFINITIONS) IS_TYPE[type] = 1
/** First bytes of a packet of a stream over UDP, and of a TLS handshake record. */
const PIECE = 0x81, TLS_HANDSHAKE = 22, TLS_MAJOR = 3

/** A hello names itself, whoever sends it. The handshake's type stands behind the record's header of five bytes. */
function helloIn(payload: Uint8Array): string | null {
  if (payload.length < 6 || !looksLikeTls(payload)) return null
  return payload[5] === 1 ? 'client hello' : payload[5] === 2 ? 'server hello' : null
}

/** The same for both directions. */
const markOf = (source: number, sourcePort: number, destination: number, destinationPort: number): number => {
  const mixed = Math.imul(source ^ destination ^ Math.imul(sourcePort ^ destinationPort, 0x9e3779b1), 0x85ebca6b)
  return mixed >>> 16
}

const endOf = ({ address, port }: Transport['source']): string => formatEndpoint(address, port)

/** The bytes that a packet of a stream over UDP carries, none for one without; null for what is no such packet. */
function pieceIn({ payload }: Transport): Uint8Array | null {
  const packet = decodePacket(payload)
  return packet === null ? null : 'bytes' in packet ? packet.bytes : payload.subarray(payload.length)
}

/** The message at the beginning of a payload, or of the piece of a stream that is in it. */
function messageIn(transport: Transport, piece: Uint8Array | null): { readonly message: Message, readonly offset: number } | null {
  const message = piece === null ? messageOf(transport, decodePayload) : piece.length === 0 ? null : decodePayload('tcp', portsOf(transport), piece)
  return message === null ? null : { message, offset: piece === null ? 0 : piece.byteOffset - transport.payload.byteOffset }
}
