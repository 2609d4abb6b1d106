// Network namespaces, made and entered by the calling thread. A namespace is a property of a thread: only synchronous
// calls see the change (libuv's pool and koffi's asynchronous calls run on other threads). child_process.spawn forks from
// the calling thread, so a program spawned inside starts in that namespace.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { libc } from '../../napt/system/libc.js'

const CLONE_NEWNET = 0x40000000, MS_BIND = 4096, MS_NOSUID = 2, MS_NODEV = 4
const OWN_NAMESPACE = '/proc/thread-self/ns/net'

/** Where iproute2 looks for namespaces by name, so that `ip netns` works inside a bench. */
export const NAMESPACE_FOLDER = '/run/netns'

export interface Namespace { readonly name: string, readonly path: string, readonly fd: number }

export interface NamespaceOptions {
  /** IPv6 would send neighbour discovery and router solicitations on its own; without it a capture holds what was asked for. */
  readonly ipv6: boolean
}

/** Settings of a new namespace. It inherits the machine's IPv4 ones, a Docker host's forwarding among them. */
const SETTINGS = [
  ['ipv4/ip_forward', '0'],
  ['ipv4/conf/all/rp_filter', '0'], ['ipv4/conf/default/rp_filter', '0'],
  ['ipv4/conf/all/arp_ignore', '0'], ['ipv4/conf/default/arp_ignore', '0'],
] as const
const IPV6_OFF = [['ipv6/conf/all/disable_ipv6', '1'], ['ipv6/conf/default/disable_ipv6', '1']] as const

/** Covers /run with a file system of this mount namespace's own, so that nothing named below it reaches the machine. */
export function coverRun(): void {
  libc().mount('tmpfs', '/run', 'tmpfs', MS_NOSUID | MS_NODEV, 'mount a private file system on /run')
  mkdirSync(NAMESPACE_FOLDER)
}

/**
 * Makes a network namespace and names it. It lives as long as its mount, and so as long as the mount namespace.
 * @throws SystemError
 */
export function createNamespace(name: string, { ipv6 }: NamespaceOptions): Namespace {
  const path = `${NAMESPACE_FOLDER}/${name}`
  returning(() => {
    libc().unshare(CLONE_NEWNET, `make the namespace of ${name}`)
    writeFileSync(path, '', { flag: 'wx' })
    libc().mount(OWN_NAMESPACE, path, null, MS_BIND, `name the namespace of ${name}`)
    for (const [setting, value] of [...SETTINGS, ...ipv6 ? [] : IPV6_OFF]) applySetting(`/proc/sys/net/${setting}`, value)
  })
  return { name, path, fd: openSync(path, 'r') }
}

/**
 * Runs a synchronous function with the calling thread in the namespace, and always comes back.
 * @throws SystemError, and what `work` throws
 */
export function inNamespace<T>({ fd, name }: Namespace, work: () => T): T {
  return returning(() => {
    libc().setns(fd, CLONE_NEWNET, `enter the namespace of ${name}`)
    return work()
  })
}

function returning<T>(work: () => T): T {
  const home = openSync(OWN_NAMESPACE, 'r')
  try {
    return work()
  } finally {
    libc().setns(home, CLONE_NEWNET, 'return to the namespace it came from')
    closeSync(home)
  }
}

/** A setting that already has the value is left alone (a container may have mounted it read-only); one that the kernel lacks is no matter. */
function applySetting(path: string, value: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8').trim() !== value) writeFileSync(path, value)
}
