// A frame's line (summary.ts) straight from its bytes, for whoever needs one for every frame that passes: five times as fast as
// from the frame taken apart, which is done only where it is not plain TCP or UDP with right checksums.
import * as ethernet from '../napt/wire/ethernet.js'
import * as ipv4 from '../napt/wire/ipv4.js'
import * as tcp from '../napt/wire/tcp.js'
import * as udp from '../napt/wire/udp.js'
import { decode, type Transport } from './decode.js'
import type { PayloadDecoder } from './payload.js'
import { summarize, summarizeEnds, summarizeTransport, transportEnds } from './summary.js'

/** As `summarize`. */
export function summarizeFrame(frame: Uint8Array, decoder: PayloadDecoder): string {
  const transport = transportOf(frame)
  return transport === null ? summarize(decode(frame), decoder) : summarizeTransport(transport, decoder)
}

/** As `summarizeEnds`. */
export function summarizeFrameEnds(frame: Uint8Array): string {
  const transport = transportOf(frame)
  return transport === null ? summarizeEnds(decode(frame)) : transportEnds(transport)
}

/** As `decode` has it; null for what is not TCP or UDP, whole and in one piece, or has a checksum that is not right. */
function transportOf(frame: Uint8Array): Transport | null {
  const ip = ethernet.HEADER
  if (ethernet.check(0, frame.length) !== null || ethernet.type(frame, 0) !== ethernet.TYPE.ipv4) return null
  if (ipv4.check(frame, ip, frame.length) !== null || ipv4.isFragment(frame, ip)) return null
  const at = ip + ipv4.headerLength(frame, ip), end = ip + ipv4.totalLength(frame, ip), protocol = ipv4.protocol(frame, ip)
  const source = ipv4.source(frame, ip), destination = ipv4.destination(frame, ip)
  if (protocol === ipv4.PROTOCOL.tcp && tcp.check(frame, at, end) === null && tcp.checksumHolds(frame, ip, at, end)) {
    return {
      protocol: 'tcp', source: { address: source, port: tcp.sourcePort(frame, at) }, destination: { address: destination, port: tcp.destinationPort(frame, at) },
      flags: tcp.flags(frame, at), sequence: tcp.sequence(frame, at), acknowledgement: tcp.acknowledgement(frame, at),
      payload: tcp.payload(frame, at, end), payloadOffset: at + tcp.headerLength(frame, at),
    }
  }
  if (protocol === ipv4.PROTOCOL.udp && udp.check(frame, at, end) === null && (udp.checksum(frame, at) === 0 || udp.checksumHolds(frame, ip, at))) {
    return {
      protocol: 'udp', source: { address: source, port: udp.sourcePort(frame, at) }, destination: { address: destination, port: udp.destinationPort(frame, at) },
      flags: 0, sequence: 0, acknowledgement: 0, payload: udp.payload(frame, at), payloadOffset: at + udp.HEADER,
    }
  }
  return null
}
