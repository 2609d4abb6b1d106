// Sends small UDP packets from this network namespace at a rate, in batches: `node udp-source.js JSON`, see Source. Says on standard
// output how many it sent, in how long.
import { setTimeout as pause } from 'node:timers/promises'
import { openDevice } from '../napt/device/open.js'
import { parseEndpoint, parseIpv4, parseMac, type Port } from '../napt/wire/address.js'
import { udpFrame } from '../napt/wire/frame.js'

export interface Source {
  readonly interface: string
  /** MAC address of the next hop. */
  readonly to: string
  readonly address: string
  /** `ADDRESS:PORT` */
  readonly destination: string
  /** As many source ports. */
  readonly flows: number
  readonly packets: number
  /** Packets a second. */
  readonly rate: number
}

/** `milliseconds`: from the first packet to the last. */
export interface Sent { readonly packets: number, readonly milliseconds: number }

const FIRST_PORT = 10_000
/** Ethernet, IP and UDP make 60 bytes of it: the least that a cable carries. */
const PAYLOAD = 18

const { interface: name, to, address, destination, flows, packets, rate } = JSON.parse(process.argv[2]) as Source
const device = await openDevice('packet', name)
const frames = Array.from({ length: flows }, (_, at) => udpFrame(
  { address: parseIpv4(address), port: FIRST_PORT + at as Port }, parseEndpoint(destination), new Uint8Array(PAYLOAD), { sourceMac: device.mac, destinationMac: parseMac(to), identification: at },
))
const start = performance.now()
let sent = 0, elapsed = 0
while (sent < packets) {
  const due = Math.min(packets, Math.ceil((performance.now() - start) * rate / 1000))
  for (; sent < due; sent++) device.send(frames[sent % flows])
  device.flush()
  elapsed = performance.now() - start
  await pause(1)
}
const report: Sent = { packets: device.counters.sent, milliseconds: elapsed }
device.close()
process.stdout.write(`${JSON.stringify(report)}\n`)
