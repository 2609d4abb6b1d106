// Says what passes a switch between hosts on it: `node switch-tap-process.js ADDRESS…`, in the namespace of the switch. Prints
// {"event":"ready"} and then {"time":NANOSECONDS,"frame":BASE64} for each IPv4 frame between two of the addresses; when its standard
// input ends, {"event":"missed","frames":COUNT} for those that it was not there in time to take, and ends.
//
// Times are the kernel's own, so that a frame never seems later than what it caused, however late this process gets its turn.
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { libc } from '../../napt/system/libc.js'
import { SystemError } from '../../napt/system/error.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { parseIpv4 } from '../../napt/wire/address.js'

const AF_PACKET = 17, SOCK_RAW = 3, ETH_P_ALL = 3, MSG_DONTWAIT = 0x40
const SOL_SOCKET = 1, SO_RCVBUF = 8, SO_ATTACH_FILTER = 26, SOL_PACKET = 263, PACKET_STATISTICS = 6, PACKET_IGNORE_OUTGOING = 23
const SIOCGSTAMPNS = 0x8907, SIZEOF_TIMESPEC = 16
const FRAME_BYTES = 1 << 17
/** More than an ordinary user is given; the kernel cuts it to its limit. */
const RECEIVE_BUFFER_BYTES = 1 << 23
/** Classic BPF (linux/filter.h): `struct sock_filter` is a code, two jumps that count instructions, and a constant. */
const LOAD_16 = 0x28, LOAD_32 = 0x20, JUMP_EQUAL = 0x15, RETURN = 0x06, SIZEOF_INSTRUCTION = 8
/** Addresses that the jumps of a program reach across. */
const MOST_FILTERED = 100

const hosts = process.argv.slice(2).map(parseIpv4)
const doing = 'listen to the switch'
const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
const library = koffi.load('libc.so.6')
const ioctl = library.func('int ioctl(int, ulong, void *)') as (fd: number, request: number, argument: Uint8Array) => number
const getsockopt = library.func('int getsockopt(int, int, int, void *, void *)') as (fd: number, level: number, option: number, value: Uint32Array, length: Uint32Array) => number
const program = koffi.struct({ length: 'uint16', instructions: 'void *' })
const attachFilter = library.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint']) as
  (fd: number, level: number, option: number, value: { length: number, instructions: Uint8Array }, bytes: number) => number
const stamp = new Uint8Array(SIZEOF_TIMESPEC), stampView = new DataView(stamp.buffer)
const buffer = Buffer.alloc(FRAME_BYTES)

// Not bound to an interface: it hears each frame once, as it comes in at a port.
const fd = libc().socket(AF_PACKET, SOCK_RAW, ETH_P_ALL << 8, doing)
libc().setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, Uint32Array.of(1), doing)
libc().setsockopt(fd, SOL_SOCKET, SO_RCVBUF, Uint32Array.of(RECEIVE_BUFFER_BYTES), doing)
// By the kernel, so that what passes between others never fills the buffer; frames from before it are looked at again below.
const filter = { length: 2 * hosts.length + 6, instructions: betweenHosts(hosts) }
if (hosts.length <= MOST_FILTERED && attachFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, koffi.sizeof(program)) < 0) throw new SystemError('setsockopt', koffi.errno(), doing)
ioctl(fd, SIOCGSTAMPNS, stamp) // asked for once, the kernel takes the time of every frame from now on
const watch = libc().watchReadable(fd, hear)
print({ event: 'ready' })
process.stdin.resume().on('end', () => {
  hear()
  print({ event: 'missed', frames: missed() })
  watch.close()
  closeSync(fd)
})

function hear(): void {
  for (let frame = receive(); frame !== null; frame = receive()) {
    if (isBetweenHosts(frame)) print({ time: String(timeOfLast()), frame: frame.toString('base64') })
  }
}

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

/** Frames that the socket's buffer had no room for. */
function missed(): number {
  const statistics = new Uint32Array(2)
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics, Uint32Array.of(statistics.byteLength)) < 0) throw new SystemError('getsockopt', koffi.errno(), doing)
  return statistics[1]
}

/** IPv4 from one of the addresses to one of them, as a program for the kernel. */
function betweenHosts(addresses: readonly number[]): Uint8Array {
  const count = addresses.length, nothing = 2 * count + 5
  const code: [code: number, ifEqual: number, ifNot: number, constant: number][] = [[LOAD_16, 0, 0, ethernet.HEADER - 2], [JUMP_EQUAL, 0, nothing - 2, ethernet.TYPE.ipv4]]
  // Source, then destination. Equal: on behind the other comparisons; unequal to the last: to the end, which takes nothing.
  for (const offset of [ethernet.HEADER + 12, ethernet.HEADER + 16]) {
    code.push([LOAD_32, 0, 0, offset])
    for (const [at, address] of addresses.entries()) code.push([JUMP_EQUAL, count - 1 - at, at < count - 1 ? 0 : nothing - code.length - 1, address >>> 0])
  }
  code.push([RETURN, 0, 0, FRAME_BYTES], [RETURN, 0, 0, 0])
  const bytes = new Uint8Array(code.length * SIZEOF_INSTRUCTION), view = new DataView(bytes.buffer)
  for (const [at, [operation, ifEqual, ifNot, constant]] of code.entries()) {
    view.setUint16(at * SIZEOF_INSTRUCTION, operation, true)
    bytes.set([ifEqual, ifNot], at * SIZEOF_INSTRUCTION + 2)
    view.setUint32(at * SIZEOF_INSTRUCTION + 4, constant, true)
  }
  return bytes
}

function isBetweenHosts(frame: Uint8Array): boolean {
  const ip = ethernet.HEADER
  if (ethernet.check(0, frame.length) !== null || ethernet.type(frame, 0) !== ethernet.TYPE.ipv4 || ipv4.check(frame, ip, frame.length) !== null) return false
  return hosts.includes(ipv4.source(frame, ip)) && hosts.includes(ipv4.destination(frame, ip))
}

function print(line: object): void { process.stdout.write(`${JSON.stringify(line)}\n`) }
