// Blocking sockets, through koffi: a generator that ran on Node's event loop would measure that. Calls that may well fail (nothing is
// there yet, the other end has gone) answer -1, as in C.
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { libc } from '../../napt/system/libc.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { write32 } from '../../napt/wire/bytes.js'

export const AF_INET = 2, SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_NONBLOCK = 0o4000
export const POLLIN = 1, POLLOUT = 4
export const MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000
const SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_RCVTIMEO = 20, SO_ATTACH_FILTER = 26
const IPPROTO_TCP = 6, TCP_DEFER_ACCEPT = 9
const SIZEOF_POLLFD = 8
export const SIZEOF_SOCKADDR_IN = 16

interface Calls {
  connect(fd: number, address: Uint8Array, length: number): number
  listen(fd: number, backlog: number): number
  accept(fd: number, address: null, length: null): number
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number
  sendto(fd: number, bytes: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: number): number
  recvfrom(fd: number, bytes: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: Uint32Array): number
  poll(fds: Uint8Array, count: number, timeout: number): number
  getsockname(fd: number, address: Uint8Array, length: Uint32Array): number
}

export type Sockets = Calls & { attachFilter(fd: number, program: Uint8Array): void }

export function loadSockets(): Sockets {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi, library = koffi.load('libc.so.6')
  const program = koffi.struct({ length: 'uint16', instructions: 'void *' })
  const attach = library.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(program), 'uint']) as
    (fd: number, level: number, option: number, value: { length: number, instructions: Uint8Array }, size: number) => number
  const calls: Calls = {
    connect: library.func('int connect(int, const void *, uint)') as Calls['connect'],
    listen: library.func('int listen(int, int)') as Calls['listen'],
    accept: library.func('int accept(int, void *, void *)') as Calls['accept'],
    send: library.func('long send(int, const void *, size_t, int)') as Calls['send'],
    recv: library.func('long recv(int, void *, size_t, int)') as Calls['recv'],
    sendto: library.func('long sendto(int, const void *, size_t, int, const void *, uint)') as Calls['sendto'],
    recvfrom: library.func('long recvfrom(int, void *, size_t, int, void *, void *)') as Calls['recvfrom'],
    poll: library.func('int poll(void *, ulong, int)') as Calls['poll'],
    getsockname: library.func('int getsockname(int, void *, void *)') as Calls['getsockname'],
  }
  return {
    ...calls,
    attachFilter: (fd, instructions) => {
      if (attach(fd, SOL_SOCKET, SO_ATTACH_FILTER, { length: instructions.length / 8, instructions }, koffi.sizeof(program)) !== 0) {
        throw new Error(`a filter could not be attached (errno ${koffi.errno()})`)
      }
    },
  }
}

/** `struct sockaddr_in` */
export function socketAddress(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(SIZEOF_SOCKADDR_IN), view = new DataView(bytes.buffer)
  view.setUint16(0, AF_INET, true)
  view.setUint16(2, port)
  write32(bytes, 4, parseIpv4(address))
  return bytes
}

/** A socket of the calling thread's namespace, bound. @throws SystemError */
export function boundSocket(type: number, address: string, port: number): number {
  const doing = `serve ${address}:${port}`, fd = libc().socket(AF_INET, type, 0, doing)
  libc().setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Uint32Array.of(1), doing)
  libc().bind(fd, socketAddress(address, port), doing)
  return fd
}

/** `recv` gives up after so many milliseconds. */
export function setReceiveTimeout(fd: number, milliseconds: number): void {
  const time = new BigInt64Array([BigInt(Math.floor(milliseconds / 1000)), BigInt(milliseconds % 1000) * 1000n])
  libc().setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(time.buffer), 'limit the wait for an answer')
}

/** `accept` returns connections that have brought something, and others after so many seconds. */
export function deferAccept(fd: number, seconds: number): void {
  libc().setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, Uint32Array.of(seconds), 'await the first bytes of connections')
}

/** `struct pollfd` for each; what came about is in the second half of the last 32-bit word. */
export function pollList(fds: readonly { readonly fd: number, readonly events: number }[]): Uint8Array {
  const bytes = new Uint8Array(fds.length * SIZEOF_POLLFD), view = new DataView(bytes.buffer)
  fds.forEach(({ fd, events }, i) => {
    view.setInt32(i * SIZEOF_POLLFD, fd, true)
    view.setInt16(i * SIZEOF_POLLFD + 4, events, true)
  })
  return bytes
}

/** Whether something came about for the `i`-th. */
export const isReady = (list: Uint8Array, i: number): boolean => (list[i * SIZEOF_POLLFD + 6] | list[i * SIZEOF_POLLFD + 7]) !== 0
