// How much room a router's table has: the new flows of many hosts that it admits until nothing is left. A port, an address, a host
// or a session that was never given back makes it less.
import { PROTOCOLS, type Protocol } from '../../../napt/behaviour/behaviour.js'
import { parseIpv4, type Port } from '../../../napt/wire/address.js'
import * as ethernet from '../../../napt/wire/ethernet.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../../napt/wire/frame.js'
import * as icmp from '../../../napt/wire/icmp.js'
import { FLAG } from '../../../napt/wire/tcp.js'
import { MACS } from '../router-bench.js'
import type { Router } from '../../../napt/router.js'

const HOSTS = 100
const FLOWS_OF_A_HOST = 8
const REMOTE = { address: parseIpv4('130.74.23.6'), port: 80 as Port }
const NOTHING = new Uint8Array(0)
/** Milliseconds: more than any timer of a router under test. */
export const LONG = 20_000_000

/** The mappings that the table comes to hold of each protocol alone; what it held before is over by then. */
export function roomOf(router: Router, now: number): Record<string, number> {
  return Object.fromEntries(PROTOCOLS.map((protocol, i) => [protocol, fill(router, protocol, now + (i + 1) * LONG)]))
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
