// How much room a router has: the new flows of many hosts that its table admits until nothing is left, and the frames that may wait.
// A port, an address, a host, a session or a place in a queue that was never given back makes it less.
import { PROTOCOLS, type Protocol } from '../../../napt/behaviour/behaviour.js'
import { parseIpv4, type Port } from '../../../napt/wire/address.js'
import { write16 } from '../../../napt/wire/bytes.js'
import * as ethernet from '../../../napt/wire/ethernet.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../../napt/wire/frame.js'
import * as icmp from '../../../napt/wire/icmp.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import { FLAG } from '../../../napt/wire/tcp.js'
import { IP } from '../frames.js'
import { piece } from '../translation/fragment-frames.js'
import { MACS } from '../router-bench.js'
import type { Router } from '../../../napt/router.js'

const HOSTS = 100
const FLOWS_OF_A_HOST = 8
const MORE_THAN_MAY_WAIT = 2000
const REMOTE = { address: parseIpv4('130.74.23.6'), port: 80 as Port }
const NOTHING = new Uint8Array(0)
/** Milliseconds: more than any timer of a router under test. */
export const LONG = 20_000_000

/** The mappings that the table comes to hold of each protocol alone, and the frames that come to wait; what was there before is over by then. */
export function roomOf(router: Router, now: number): Record<string, number> {
  const mappings = Object.fromEntries(PROTOCOLS.map((protocol, i): [string, number] => [protocol, fill(router, protocol, now + (i + 1) * LONG)]))
  const later = now + (PROTOCOLS.length + 1) * LONG
  const flow = udpFrame({ address: parseIpv4('192.168.1.2'), port: 2000 as Port }, { address: parseIpv4('9.9.9.9'), port: 80 as Port }, new Uint8Array(16))
  return { ...mappings, fragments: waiting(router, piece(flow, 8), later), packets: waiting(router, flow, later) }
}

/** How many such frames, each of a datagram of its own, wait at a time. */
function waiting(router: Router, frame: Uint8Array, now: number): number {
  let held = 0
  ethernet.setAddresses(frame, 0, MACS.lan, MACS.wan)
  for (let turn = 0; turn < 5; turn++) router.tick(now)
  for (let identification = 0; identification < MORE_THAN_MAY_WAIT; identification++) {
    write16(frame, IP + 4, identification)
    ipv4.writeChecksum(frame, IP)
    const copy = frame.slice()
    if (router.process(copy, 0, copy.length, false, 'lan', now).action === 'hold') held++
  }
  return held
}

function fill(router: Router, protocol: Protocol, now: number): number {
  for (let turn = 0; turn < 5; turn++) router.tick(now)
  for (let flow = 0; flow < FLOWS_OF_A_HOST; flow++) {
    for (let host = 2; host < 2 + HOSTS; host++) {
      const from = { address: parseIpv4(`192.168.1.${host}`), port: 2000 + flow as Port }
      const frame = protocol === 'udp' ? udpFrame(from, REMOTE, NOTHING) : protocol === 'tcp' ? tcpFrame(from, REMOTE, FLAG.syn)
        : icmpFrame(from.address, REMOTE.address, { type: icmp.TYPE.echo, identifier: from.port })
      ethernet.setAddresses(frame, 0, MACS.lan, MACS.wan)
      router.process(frame, 0, frame.length, false, 'lan', now)
    }
  }
  return router.table(now).length
}
