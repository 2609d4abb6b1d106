// A failed system call as an error a person can read: which call, the kernel's name for the failure, and a plain sentence.
import { constants } from 'node:os'

const SENTENCES: Readonly<Partial<Record<string, string>>> = {
  EPERM: 'the kernel does not allow it to this user here',
  EACCES: 'permission denied',
  ENOENT: 'there is no such file or interface',
  ENODEV: 'there is no such interface',
  EEXIST: 'it exists already',
  EBUSY: 'it is in use',
  EINVAL: 'the kernel does not accept the arguments',
  ENOSPC: 'a limit of the kernel is reached (see /proc/sys/user)',
  ENOMEM: 'there is not enough memory',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the machine has too many files open',
  EOPNOTSUPP: 'this kernel or interface cannot do it',
  EAFNOSUPPORT: 'this kernel lacks the protocol family',
  EPROTONOSUPPORT: 'this kernel lacks the protocol',
  ENETUNREACH: 'no route leads there',
  ENETDOWN: 'the interface is down',
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'the address does not belong to this machine',
  EAGAIN: 'nothing came in time',
  ESRCH: 'there is no such process',
}

/** Name of an error number, `EPERM` for 1; `errno 999` where the machine has no name for it. */
function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`
}

export class SystemError extends Error {
  override readonly name = 'SystemError'
  /** The kernel's name of the failure, such as EPERM. */
  readonly code: string

  /**
   * @param call the system call, such as `setns`
   * @param doing what was being done, as in "enter the namespace of 102"
   * @param detail the kernel's own words, where it gave some
   */
  constructor(readonly call: string, readonly errno: number, doing: string, detail?: string) {
    const code = errnoName(errno)
    const sentence = detail ?? SENTENCES[code] ?? 'the kernel refused'
    super(`could not ${doing}: ${sentence} (${call}: ${code})`)
    this.code = code
  }
}
