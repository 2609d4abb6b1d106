// What the kernel knows of a network interface: index, MAC address, MTU. Asked by ioctl, because /sys shows the namespace that
// mounted it and `os.networkInterfaces()` leaves out interfaces without an address.
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import type Koffi from 'koffi'
import { libc } from './libc.js'
import { SystemError } from './error.js'

const AF_INET = 2, SOCK_DGRAM_CLOEXEC = 2 | 0x80000
const SIOCGIFMTU = 0x8921, SIOCGIFHWADDR = 0x8927, SIOCGIFINDEX = 0x8933
const SIZEOF_IFREQ = 40, NAME_BYTES = 15

export interface InterfaceFacts { readonly index: number, readonly mac: Uint8Array, readonly mtu: number }

/** Of the calling thread's network namespace. @throws SystemError ENODEV when there is no such interface */
export function readInterface(name: string): InterfaceFacts {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
  const ioctl = koffi.load('libc.so.6').func('int ioctl(int, ulong, void *)') as (fd: number, request: number, argument: Uint8Array) => number
  const doing = `look up interface '${name}'`
  // A longer name would be cut, and might then be another interface's.
  if (Buffer.byteLength(name) > NAME_BYTES) throw new SystemError('ioctl', constants.errno.ENODEV, doing)
  const fd = libc().socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0, doing)
  try {
    const ask = (request: number): DataView => {
      const argument = new Uint8Array(SIZEOF_IFREQ)
      argument.set(new TextEncoder().encode(name))
      if (ioctl(fd, request, argument) < 0) throw new SystemError('ioctl', koffi.errno(), doing)
      return new DataView(argument.buffer, 16)
    }
    const index = ask(SIOCGIFINDEX).getInt32(0, true), mtu = ask(SIOCGIFMTU).getInt32(0, true)
    const hardware = ask(SIOCGIFHWADDR)
    return { index, mtu, mac: new Uint8Array(hardware.buffer, hardware.byteOffset + 2, 6) }
  } finally {
    closeSync(fd)
  }
}
