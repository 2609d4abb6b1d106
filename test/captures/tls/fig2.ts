// The two encrypted connections of Fig. 2 as they would cross the bench of Fig. 1: real TLS, made-up TCP and IP around it.
import { parseEndpoint, type Endpoint } from '../../../napt/wire/address.js'
import { tcpFrame } from '../../../napt/wire/frame.js'
import { FLAG } from '../../../napt/wire/tcp.js'
import { encode } from '../../../endpoints/message/index.js'
import type { RouterRecord } from '../../../captures/index.js'
import type { Way } from '../../../captures/tls/connection.js'
import type { Frames } from '../support.js'
import { overhear, type Overheard, type Talk } from './loopback.js'

export const PASSWORD = 'open sesame 2133'
const token = '0011223344556677'
const REACHED = { address: '4.17.168.2', port: 5000, token } as const
const REQUEST = encode({ name: 'request', equipmentId: '2133', password: PASSWORD, ...REACHED })
const FORWARDED = encode({ name: 'forwardedRequest', password: PASSWORD, ...REACHED })
const GREETING = encode({ name: 'greeting', token }), ACCEPTED = encode({ name: 'answer', reason: 0 })

/** The interfaces that a connection crosses from its client to its server, and its ends at each. */
type Path = readonly (readonly [name: string, client: Endpoint, server: Endpoint])[]
const path = (router: string, lan: string, wan: string, server: string): Path =>
  [[`${router}-lan`, parseEndpoint(lan), parseEndpoint(server)], [`${router}-wan`, parseEndpoint(wan), parseEndpoint(server)]]
const FIRST = path('104a', '192.168.1.11:1500', '4.17.168.2:7000', '130.74.23.6:1201')
const SECOND = path('104b', '192.168.1.3:2600', '202.204.16.13:2401', '130.74.23.6:1300')

export interface Connection { readonly path: Path, readonly overheard: Overheard }

export async function fig2(talk: Omit<Talk, 'lines'>): Promise<{ connections: readonly Connection[], keyLog: string }> {
  const first = await overhear({ ...talk, lines: [REQUEST, ACCEPTED] }), second = await overhear({ ...talk, lines: [GREETING, FORWARDED, ACCEPTED] })
  return { connections: [{ path: FIRST, overheard: first }, { path: SECOND, overheard: second }], keyLog: first.keyLog + second.keyLog }
}

export interface Packet { readonly time: bigint, readonly way: Way, readonly path: Path, readonly flags: number, readonly sequence: number, readonly payload: Uint8Array }

/** TCP's packets around a connection; no segment has more than `segment` bytes. */
export function packetsOf({ path, overheard }: Connection, start = 0n, segment = 1460): Packet[] {
  const next: Record<Way, number> = { '→': 0xfffffff0, '←': 5000 } // one of them runs over
  const packets: Packet[] = []
  const add = (way: Way, flags: number, payload: Uint8Array = new Uint8Array(0)): void => {
    packets.push({ time: start + BigInt(packets.length) * 1_000_000n, way, path, flags, sequence: next[way], payload })
    next[way] = (next[way] + payload.length + ((flags & (FLAG.syn | FLAG.fin)) === 0 ? 0 : 1)) >>> 0
  }
  add('→', FLAG.syn)
  add('←', FLAG.syn | FLAG.ack)
  for (const { way, bytes } of overheard.chunks) {
    for (let at = 0; at < bytes.length; at += segment) add(way, FLAG.ack | FLAG.psh, bytes.subarray(at, at + segment))
  }
  add('←', FLAG.fin | FLAG.ack)
  add('→', FLAG.fin | FLAG.ack)
  return packets
}

/** The packet as it looks at one of its interfaces. */
function frameAt({ way, flags, sequence, payload }: Packet, [, client, server]: Path[number]): Uint8Array {
  const [source, destination] = way === '→' ? [client, server] : [server, client]
  return tcpFrame(source, destination, flags, payload, { sequence, acknowledgement: (flags & FLAG.ack) === 0 ? 0 : 1, dontFragment: true })
}

export function framesOf(packets: readonly Packet[]): Frames {
  const frames: Frames = new Map()
  for (const packet of packets) {
    for (const hop of packet.path) frames.set(hop[0], [...frames.get(hop[0]) ?? [], { time: packet.time, bytes: frameAt(packet, hop) }])
  }
  return frames
}

/** What the router on the way says of a packet. */
export function recordOf(packet: Packet): RouterRecord {
  const [lan, wan] = packet.path
  const [from, to] = packet.way === '→' ? [lan, wan] : [wan, lan]
  return {
    router: lan[0].split('-')[0], time: packet.time, from: from === lan ? 'lan' : 'wan', received: frameAt(packet, from),
    verdict: { action: 'forward' }, sent: { side: to === lan ? 'lan' : 'wan', frame: frameAt(packet, to) },
  }
}
