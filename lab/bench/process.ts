// Other processes as /proc shows them.
import { closeSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { libc } from '../../napt/system/libc.js'

/** Children of a process's first thread; none when it has ended (or the kernel was built without this list). */
export function childrenOf(pid: number): number[] {
  const list = readOrEmpty(`/proc/${pid}/task/${pid}/children`)
  return list.split(' ').map(Number).filter(child => child > 0)
}

export interface ProcessLine { readonly pid: number, readonly args: readonly string[] }

/** Every process of this user, with its command line. */
export function ownProcesses(): ProcessLine[] {
  return readdirSync('/proc').map(Number).filter(pid => pid > 0 && isOwn(pid))
    .map(pid => ({ pid, args: readOrEmpty(`/proc/${pid}/cmdline`).split('\0') }))
}

/** @returns whether the process ended within `timeout` milliseconds; its PID namespace, if it was the first in one, with it */
export async function whenEnded(pid: number, timeout: number): Promise<boolean> {
  const fd = libc().pidfdOpen(pid)
  if (fd === null) return true
  const ended = await new Promise<boolean>(resolve => {
    const timer = setTimeout(finish, timeout, false)
    const watch = libc().watchReadable(fd, () => finish(true))
    function finish(result: boolean): void {
      clearTimeout(timer)
      watch.close()
      resolve(result)
    }
  })
  closeSync(fd)
  return ended
}

/** @returns whether there was still such a process to be signalled */
export function signalProcess(pid: number, signal: NodeJS.Signals | number): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

function isOwn(pid: number): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === process.getuid?.()
}

/** A process may end between two looks at it. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/**
 * The environment for a bench's own processes. Node reads the certificates of NODE_EXTRA_CA_CERTS at every start (0.14 s with Debian's
 * list of authorities); nothing on a bench reaches a server that they would vouch for.
 */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env }
  delete environment.NODE_EXTRA_CA_CERTS
  return environment
}
