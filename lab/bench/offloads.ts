// Offloads of an interface, by ethtool's ioctl, so that ethtool(8) need not be there. With them on, a veth pair hands over
// frames with unfinished checksums and far above the MTU; off, a capture shows what a wire would carry.
import { closeSync } from 'node:fs'
import { libc } from '../../napt/system/libc.js'

const AF_INET = 2, SOCK_DGRAM = 2, SOCK_CLOEXEC = 0o2000000
const SIOCETHTOOL = 0x8946

/** ethtool's commands, as [get, set]. */
const COMMANDS = { 'tx-checksumming': [0x16, 0x17], tso: [0x1e, 0x1f], gso: [0x23, 0x24], gro: [0x2b, 0x2c] } as const

export type Offload = keyof typeof COMMANDS
const OFFLOADS = Object.keys(COMMANDS) as Offload[]

/** Switches every offload of an interface of the calling thread's namespace off. @throws SystemError */
export function switchOffloadsOff(interfaceName: string): void {
  withSocket(fd => {
    for (const offload of OFFLOADS) {
      const data = Uint32Array.of(COMMANDS[offload][1], 0)
      libc().ioctl(fd, SIOCETHTOOL, { name: interfaceName, data }, `switch ${offload} of ${interfaceName} off`)
    }
  })
}

/** The offloads that are on, of an interface of the calling thread's namespace. @throws SystemError */
export function offloadsOn(interfaceName: string): Offload[] {
  return withSocket(fd => OFFLOADS.filter(offload => {
    const data = Uint32Array.of(COMMANDS[offload][0], 0)
    libc().ioctl(fd, SIOCETHTOOL, { name: interfaceName, data }, `read ${offload} of ${interfaceName}`)
    return data[1] !== 0
  }))
}

function withSocket<T>(use: (fd: number) => T): T {
  const fd = libc().socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 'open a socket to ask for offloads')
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}
