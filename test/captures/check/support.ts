// A client behind a router asks a server; the captures of both sides in one file, for the tests of check files.
import { join } from 'node:path'
import { parseEndpoint, parseIpv4 } from '../../../napt/wire/address.js'
import { tcpFrame, udpFrame } from '../../../napt/wire/frame.js'
import { FLAG } from '../../../napt/wire/tcp.js'
import { PcapngWriter } from '../../../captures/index.js'
import type { CheckDescription } from '../../../captures/check/format.js'
import { readCheck } from '../../../captures/check/read.js'
import { checkCapture, type CheckReport } from '../../../captures/check/match.js'
import { CaptureSource } from '../../../captures/check/source.js'
import { testDecoder } from '../support.js'

export const START = 1_700_000_000_000_000_000n
const MILLISECOND = 1_000_000n

export interface Packet {
  readonly at: string
  /** Milliseconds after the start. */
  readonly after: number
  readonly bytes: Uint8Array
  readonly packetId?: bigint
  readonly comment?: string
}

const options = { identification: 7, dontFragment: true }
export const udp = (at: string, after: number, from: string, to: string, payload: string, more: { packetId?: bigint, comment?: string, identification?: number, timeToLive?: number } = {}): Packet =>
  ({ at, after, bytes: udpFrame(parseEndpoint(from), parseEndpoint(to), Buffer.from(payload), { ...options, ...more }), ...more })
export const syn = (at: string, after: number, from: string, to: string): Packet =>
  ({ at, after, bytes: tcpFrame(parseEndpoint(from), parseEndpoint(to), FLAG.syn, new Uint8Array(0), { ...options, sequence: 1000 }) })

/** Question and answer on both sides; then a stranger's packet, which the router drops. */
export const TALK: readonly Packet[] = [
  udp('lan', 0, '192.168.1.11:1500', '130.74.23.6:1200', '\x01\x00abcd question', { timeToLive: 64 }),
  udp('wan', 1, '4.17.168.2:7000', '130.74.23.6:1200', '\x01\x00abcd question', { timeToLive: 63 }),
  udp('wan', 10, '130.74.23.6:1200', '4.17.168.2:7000', '\x01\x01abcd answer', { identification: 8, timeToLive: 64 }),
  udp('lan', 11, '130.74.23.6:1200', '192.168.1.11:1500', '\x01\x01abcd answer', { identification: 8, timeToLive: 63 }),
  udp('wan', 20, '8.117.12.109:9000', '4.17.168.2:7000', 'let me in', { identification: 9, comment: 'nat  wan → lan  dropped  udp 8.117.12.109:9000 → 4.17.168.2:7000\n  filter   nothing was sent there' }),
]

/** Writes packets as one pcapng file; gives its path. */
export function write(folder: string, packets: readonly Packet[], name = 'run.pcapng'): string {
  const path = join(folder, name), writer = new PcapngWriter(path)
  const numbers = new Map(['lan', 'wan'].map(each => [each, writer.interface({ name: each, description: '', linkType: 1, snapLength: 0 })]))
  writer.names(new Map([[parseIpv4('130.74.23.6'), 'server'], [parseIpv4('4.17.168.2'), 'nat']]))
  for (const { at, after, bytes, ...facts } of packets) writer.packet(bytes, { ...facts, interfaceId: numbers.get(at)!, time: START + BigInt(after * 1000) * MILLISECOND / 1000n })
  writer.close()
  return path
}

export const check = (path: string, description: CheckDescription): Promise<CheckReport> => checkCapture(readCheck(description), new CaptureSource([{ path, as: null }]), testDecoder)
