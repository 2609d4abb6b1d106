// What a process on a bench has used, as the kernel counts it.
import { readFileSync } from 'node:fs'
import { BenchError } from '../bench/bench.js'

/** Per second in /proc/PID/stat: USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS = 100

export interface ProcessUse {
  /** Seconds, in its own code and in the kernel's for it; in steps of 0.01. */
  readonly cpu: number
  /** What came in by and went out of the interfaces of its network namespace, headers included; loopback is left out. */
  readonly received: number
  readonly sent: number
}

/** @param pid on this machine. @throws BenchError when there is no such process any more */
export function processUse(pid: number): ProcessUse {
  try {
    return { cpu: cpuOf(readFileSync(`/proc/${pid}/stat`, 'utf8')), ...trafficOf(readFileSync(`/proc/${pid}/net/dev`, 'utf8')) }
  } catch (error) {
    throw new BenchError(`process ${pid} cannot be measured: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** proc(5): the name of the program is in brackets and may hold anything; utime and stime are fields 14 and 15. */
export function cpuOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Two lines of headings, then `name: received bytes, 7 more, sent bytes, 7 more` for each interface. */
export function trafficOf(dev: string): { received: number, sent: number } {
  const lines = dev.trimEnd().split('\n').slice(2).map(line => line.trim().split(/:\s*|\s+/)).filter(([name]) => name !== 'lo')
  const sum = (at: number): number => lines.reduce((total, fields) => total + Number(fields[at]), 0)
  return { received: sum(1), sent: sum(9) }
}
