// Says what passes a switch between hosts on it: `node switch-tap-process.js ADDRESS…`, in the namespace of the switch. Prints
// {"event":"ready"} and then {"time":NANOSECONDS,"frame":BASE64} for each IPv4 frame between two of the addresses; ends when its
// standard input does.
//
// Times are the kernel's own, so that a frame never seems later than what it caused, however late this process gets its turn.
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { libc } from '../napt/system/libc.js'
import { SystemError } from '../napt/system/error.js'
import * as ethernet from '../napt/wire/ethernet.js'
import * as ipv4 from '../napt/wire/ipv4.js'
import { parseIpv4 } from '../napt/wire/address.js'

const AF_PACKET = 17, SOCK_RAW = 3, ETH_P_ALL = 3, SOL_PACKET = 263, PACKET_IGNORE_OUTGOING = 23, MSG_DONTWAIT = 0x40
const SIOCGSTAMPNS = 0x8907, SIZEOF_TIMESPEC = 16
const FRAME_BYTES = 1 << 17

const hosts = new Set<number>(process.argv.slice(2).map(parseIpv4))
const doing = 'listen to the switch'
const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
const ioctl = koffi.load('libc.so.6').func('int ioctl(int, ulong, void *)') as (fd: number, request: number, argument: Uint8Array) => number
const stamp = new Uint8Array(SIZEOF_TIMESPEC), stampView = new DataView(stamp.buffer)
const buffer = Buffer.alloc(FRAME_BYTES)

// Not bound to an interface: it hears each frame once, as it comes in at a port.
const fd = libc().socket(AF_PACKET, SOCK_RAW, ETH_P_ALL << 8, doing)
libc().setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, Uint32Array.of(1), doing)
ioctl(fd, SIOCGSTAMPNS, stamp) // asked for once, the kernel takes the time of every frame from now on
const watch = libc().watchReadable(fd, () => {
  for (let frame = receive(); frame !== null; frame = receive()) {
    if (isBetweenHosts(frame)) print({ time: String(timeOfLast()), frame: frame.toString('base64') })
  }
})
print({ event: 'ready' })
process.stdin.resume().on('end', () => {
  watch.close()
  closeSync(fd)
})

/** A view that holds until the next call; null when nothing is there. */
function receive(): Buffer | null {
  try {
    return buffer.subarray(0, libc().recv(fd, buffer, MSG_DONTWAIT, doing))
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EAGAIN') return null
    throw error
  }
}

/** Nanoseconds since 1970. */
function timeOfLast(): bigint {
  if (ioctl(fd, SIOCGSTAMPNS, stamp) < 0) throw new SystemError('ioctl', koffi.errno(), doing)
  return stampView.getBigInt64(0, true) * 1_000_000_000n + stampView.getBigInt64(8, true)
}

function isBetweenHosts(frame: Uint8Array): boolean {
  const ip = ethernet.HEADER
  if (ethernet.check(0, frame.length) !== null || ethernet.type(frame, 0) !== ethernet.TYPE.ipv4 || ipv4.check(frame, ip, frame.length) !== null) return false
  return hosts.has(ipv4.source(frame, ip)) && hosts.has(ipv4.destination(frame, ip))
}

function print(line: object): void { process.stdout.write(`${JSON.stringify(line)}\n`) }
