// Sends one IP packet with raw-socket from this network namespace, and says how it arrived: `node emit-process.js PACKET-BASE64
// DESTINATION [NAMESPACE INTERFACE]`. With the last two, it watches that interface of that namespace for the packet.
//
// raw-socket with protocol 255 (IPPROTO_RAW) takes the IP header from us. The kernel still sets its checksum and total length,
// and an identification of 0, so it sends what is right; the transport part goes out as it is.
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import type * as RawSocket from 'raw-socket'
import type { Device } from '../../napt/device/device.js'
import { openPacket } from '../../napt/device/packet.js'
import { copyOf } from '../../napt/device/memory.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import type { Emitted } from './emit-protocol.js'
import { inNamespace } from '../bench/namespaces.js'

const IPPROTO_RAW = 255
const ARRIVAL_LIMIT_MS = 2000
/** Kept here, or it may be collected while it still has to send: the package holds no reference of its own. */
const sockets: RawSocket.Socket[] = []

const [packetText, destination, namespace, interfaceName] = process.argv.slice(2) as (string | undefined)[]
if (packetText === undefined || destination === undefined) throw new Error('emit-process: a packet and its destination are wanted')
const packet = Buffer.from(packetText, 'base64')

try {
  const watched = namespace === undefined || interfaceName === undefined ? null : watch(namespace, interfaceName)
  const sent = await send(packet, destination)
  const received = watched === null ? null : await watched.arrival
  watched?.device.close()
  const emitted: Emitted = { sent, received: received === null ? null : Buffer.from(received).toString('base64') }
  process.stdout.write(`${JSON.stringify(emitted)}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1) // whatever is still awaited
}

function send(bytes: Buffer, to: string): Promise<number> {
  const raw = createRequire(import.meta.url)('raw-socket') as typeof RawSocket
  const sender = raw.createSocket({ protocol: IPPROTO_RAW })
  sockets.push(sender)
  return new Promise((resolve, reject) => {
    sender.on('error', reject)
    sender.send(bytes, 0, bytes.length, to, (error, count) => {
      sender.close()
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}

/** Resolves with the first frame that carries what was sent: the same protocol and the same bytes behind the IP header. */
function watch(namespacePath: string, name: string): { device: Device, arrival: Promise<Uint8Array> } {
  const fd = openSync(namespacePath, 'r')
  const device = inNamespace({ name: 'the receiver', path: namespacePath, fd }, () => openPacket(name))
  closeSync(fd)
  const wanted = packet.subarray(ipv4.headerLength(packet, 0))
  const arrival = new Promise<Uint8Array>((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`the packet was sent, but did not arrive within ${ARRIVAL_LIMIT_MS / 1000} s`)), ARRIVAL_LIMIT_MS)
    device.watch(() => {
      const batch = device.receive()
      for (let i = 0; i < batch.count; i++) {
        const frame = copyOf(batch, i)
        if (!isWanted(frame, wanted)) continue
        clearTimeout(limit)
        resolve(frame)
      }
    })
  })
  return { device, arrival }
}

function isWanted(frame: Uint8Array, wanted: Uint8Array): boolean {
  const ip = ethernet.HEADER
  if (ethernet.type(frame, 0) !== ethernet.TYPE.ipv4 || ipv4.check(frame, ip, frame.length) !== null) return false
  return Buffer.compare(frame.subarray(ip + ipv4.headerLength(frame, ip), ip + ipv4.totalLength(frame, ip)), wanted) === 0
}
