// Run on a host of a bench: sends an ICMP echo request with a TTL, and prints the ICMP message that comes back. On raw-socket,
// so that no ping(8) is needed.
import { createRequire } from 'node:module'
import { icmpFrame } from '../../napt/wire/frame.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import * as icmp from '../../napt/wire/icmp.js'
import { HEADER as ETHERNET } from '../../napt/wire/ethernet.js'

interface Socket {
  on(event: 'message', listener: (packet: Buffer, from: string) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  send(bytes: Buffer, offset: number, length: number, to: string, before: () => void, done: (error: Error | null) => void): void
  setOption(level: number, option: number, value: number): void
  close(): void
}
interface Raw { createSocket(options: { protocol: number }): Socket, Protocol: { ICMP: number }, SocketLevel: { IPPROTO_IP: number }, SocketOption: { IP_TTL: number } }

const [, , address, ttl] = process.argv
const raw = createRequire(import.meta.url)('raw-socket') as Raw
const socket = raw.createSocket({ protocol: raw.Protocol.ICMP })
const message = Buffer.from(icmpFrame(parseIpv4('0.0.0.0'), parseIpv4(address), { type: icmp.TYPE.echo, identifier: 0x2133, sequence: 1 }, Buffer.from('probe')).subarray(ETHERNET + 20))
socket.on('message', (packet, from) => {
  const at = (packet[0] & 15) * 4
  const type = icmp.type(packet, at)
  if (type === icmp.TYPE.echo) return
  process.stdout.write(JSON.stringify({ type, code: icmp.code(packet, at), from }))
  socket.close()
})
socket.on('error', error => { throw error })
socket.send(message, 0, message.length, address, () => socket.setOption(raw.SocketLevel.IPPROTO_IP, raw.SocketOption.IP_TTL, Number(ttl)), error => { if (error !== null) throw error })
