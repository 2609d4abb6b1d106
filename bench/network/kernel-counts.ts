// What the kernel counts while a measurement runs: datagrams at the server, CPU time of the router's processes, softirqs.
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs'
import { libc } from '../../napt/system/libc.js'
import { NAMESPACE_FOLDER } from '../../lab/bench/namespaces.js'
import { NAMES } from './topology.js'

const CLONE_NEWNET = 0x40000000
/** Milliseconds of a tick in /proc/stat: USER_HZ is 100 on every architecture that Node runs on. */
const TICK_MS = 10
/** Of the words behind `cpu`: user, nice, system, idle, iowait, irq, softirq (proc(5)). */
const SOFTIRQ = 7

export interface Counter { read(): number, close(): void }

/**
 * Datagrams that have come to a socket of the server's: it has a filter that lets none in (server-process.ts), so the kernel counts each as
 * an error of input, one with a wrong checksum as such an error too.
 */
export function arrivals(): Counter {
  const fd = openIn(NAMES.server, '/proc/thread-self/net/snmp'), room = Buffer.alloc(16_384)
  return {
    read: () => arrivedOf(room.toString('latin1', 0, readSync(fd, room, 0, room.length, 0))),
    close: () => { closeSync(fd) },
  }
}

/** From /proc/net/snmp, which has a line of names and one of numbers for each protocol. */
export function arrivedOf(snmp: string): number {
  const [names, values] = snmp.split('\n').filter(line => line.startsWith('Udp:')).map(line => line.split(' '))
  const count = (name: string): number => Number(values[names.indexOf(name)])
  return count('InErrors') - count('InCsumErrors')
}

/** A file below /proc/net belongs to the namespace that it was opened in. */
function openIn(namespace: string, file: string): number {
  const home = openSync('/proc/thread-self/ns/net', 'r'), there = openSync(`${NAMESPACE_FOLDER}/${namespace}`, 'r')
  try {
    libc().setns(there, CLONE_NEWNET, `enter the namespace of ${namespace}`)
    return openSync(file, 'r')
  } finally {
    libc().setns(home, CLONE_NEWNET, 'return to the namespace of the client')
    closeSync(home)
    closeSync(there)
  }
}

/** Those that live in the network namespace of the router: its own threads and whatever it has started. */
export function routerProcesses(): number[] {
  const { ino } = statSync(`${NAMESPACE_FOLDER}/${NAMES.router}`)
  return readdirSync('/proc').map(Number).filter(pid => pid > 0 && linkOf(`/proc/${pid}/ns/net`) === `net:[${ino}]`)
}

/** CPU time of all their threads so far, milliseconds. What the kernel does in a thread's time counts, softirqs that follow from it too. */
export function cpuOf(processes: readonly number[]): number {
  const threads = processes.flatMap(pid => readdirSync(`/proc/${pid}/task`).map(thread => `/proc/${pid}/task/${thread}/schedstat`))
  return threads.reduce((sum, file) => sum + Number(readFileSync(file, 'utf8').split(' ')[0]), 0) / 1e6
}

/** Of all processors so far, milliseconds. */
export const softirqTime = (): number => Number(readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/)[SOFTIRQ]) * TICK_MS

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null // it has ended, or is nobody's to look at
  }
}
