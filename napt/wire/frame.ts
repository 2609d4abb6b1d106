// Whole frames from their fields: what tests, `naptlab emit` and generators send.
import * as ethernet from './ethernet.js'
import * as ipv4 from './ipv4.js'
import * as udp from './udp.js'
import * as tcp from './tcp.js'
import * as icmp from './icmp.js'
import type { Endpoint, Ipv4Address, MacAddress } from './address.js'

/** Locally administered; frames that never meet a switch may carry it. */
const ANY_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0) as MacAddress

export interface FrameOptions {
  readonly sourceMac?: MacAddress
  readonly destinationMac?: MacAddress
  readonly timeToLive?: number
  readonly identification?: number
  readonly dontFragment?: boolean
}

export function udpFrame(from: Endpoint, to: Endpoint, payload: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const { bytes, ip, transport } = begin(from.address, to.address, ipv4.PROTOCOL.udp, udp.HEADER, payload, options)
  udp.writeHeader(bytes, ip, transport, from.port, to.port, payload.length)
  return bytes
}

export interface TcpOptions extends FrameOptions { readonly sequence?: number, readonly acknowledgement?: number, readonly window?: number }

export function tcpFrame(from: Endpoint, to: Endpoint, flags: number, payload: Uint8Array = new Uint8Array(0), options: TcpOptions = {}): Uint8Array {
  const { bytes, ip, transport } = begin(from.address, to.address, ipv4.PROTOCOL.tcp, tcp.MINIMUM_HEADER, payload, options)
  tcp.writeHeader(bytes, ip, transport, bytes.length, { source: from.port, destination: to.port, flags, sequence: options.sequence ?? 0, ...pick(options) })
  return bytes
}

const pick = ({ acknowledgement, window }: TcpOptions): { acknowledgement?: number, window?: number } =>
  ({ ...(acknowledgement === undefined ? {} : { acknowledgement }), ...(window === undefined ? {} : { window }) })

export interface IcmpFields { readonly type: number, readonly code?: number, readonly identifier?: number, readonly sequence?: number }

/** An ICMP query or, with the quoted packet as its body, an ICMP error. */
export function icmpFrame(from: Ipv4Address, to: Ipv4Address, fields: IcmpFields, body: Uint8Array = new Uint8Array(0), options: FrameOptions = {}): Uint8Array {
  const { bytes, transport } = begin(from, to, ipv4.PROTOCOL.icmp, icmp.HEADER, body, options)
  icmp.writeHeader(bytes, transport, bytes.length, fields)
  return bytes
}

function begin(source: Ipv4Address, destination: Ipv4Address, protocol: number, headerLength: number, payload: Uint8Array, options: FrameOptions): { bytes: Uint8Array, ip: number, transport: number } {
  const ip = ethernet.HEADER, transport = ip + ipv4.MINIMUM_HEADER
  const bytes = new Uint8Array(transport + headerLength + payload.length)
  ethernet.setAddresses(bytes, 0, options.destinationMac ?? ANY_MAC, options.sourceMac ?? ANY_MAC)
  ethernet.setType(bytes, 0, ethernet.TYPE.ipv4)
  bytes.set(payload, transport + headerLength)
  ipv4.writeHeader(bytes, ip, {
    source, destination, protocol, totalLength: bytes.length - ip,
    timeToLive: options.timeToLive ?? 64, identification: options.identification ?? 0, dontFragment: options.dontFragment ?? false,
  })
  return { bytes, ip, transport }
}
