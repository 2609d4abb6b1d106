// What the kernel knows of a network interface: index, MAC address, MTU; and setting it up. By ioctl, because /sys shows the
// namespace that mounted it and `os.networkInterfaces()` leaves out interfaces without an address.
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import type Koffi from 'koffi'
import { libc } from './libc.js'
import { SystemError } from './error.js'

const AF_INET = 2, SOCK_DGRAM_CLOEXEC = 2 | 0x80000
const SIOCGIFFLAGS = 0x8913, SIOCSIFFLAGS = 0x8914, SIOCGIFMTU = 0x8921, SIOCGIFHWADDR = 0x8927, SIOCGIFINDEX = 0x8933
const IFF_UP = 1
/** Of struct ifreq: the name comes first, then what depends on the request. */
const SIZEOF_IFREQ = 40, UNION = 16, NAME_BYTES = 15

export interface InterfaceFacts { readonly index: number, readonly mac: Uint8Array, readonly mtu: number }

/** Of the calling thread's network namespace. @throws SystemError ENODEV when there is no such interface */
export function readInterface(name: string): InterfaceFacts {
  return withRequests(name, `look up interface '${name}'`, ask => {
    const index = ask(SIOCGIFINDEX).getInt32(0, true), mtu = ask(SIOCGIFMTU).getInt32(0, true)
    const hardware = ask(SIOCGIFHWADDR)
    return { index, mtu, mac: new Uint8Array(hardware.buffer, hardware.byteOffset + 2, 6) }
  })
}

/** Sets an interface of the calling thread's network namespace up, unless it is. @throws SystemError */
export function setInterfaceUp(name: string): void {
  withRequests(name, `set interface '${name}' up`, ask => {
    const flags = ask(SIOCGIFFLAGS).getUint16(0, true)
    if ((flags & IFF_UP) === 0) ask(SIOCSIFFLAGS, flags | IFF_UP)
  })
}

/** Makes one request about the interface, with a 16-bit argument where it takes one. Gives what the kernel filled in behind the name. */
type Ask = (request: number, argument?: number) => DataView

function withRequests<T>(name: string, doing: string, use: (ask: Ask) => T): T {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
  const ioctl = koffi.load('libc.so.6').func('int ioctl(int, ulong, void *)') as (fd: number, request: number, argument: Uint8Array) => number
  // A longer name would be cut, and might then be another interface's.
  if (Buffer.byteLength(name) > NAME_BYTES) throw new SystemError('ioctl', constants.errno.ENODEV, doing)
  const fd = libc().socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0, doing)
  try {
    return use((request, argument = 0) => {
      const bytes = new Uint8Array(SIZEOF_IFREQ), view = new DataView(bytes.buffer, UNION)
      bytes.set(new TextEncoder().encode(name))
      view.setUint16(0, argument, true)
      if (ioctl(fd, request, bytes) < 0) throw new SystemError('ioctl', koffi.errno(), doing)
      return view
    })
  } finally {
    closeSync(fd)
  }
}
