// One run of a program: how long it took, and the most memory that it held.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'

export interface Use {
  /** From start to end, milliseconds. */
  readonly time: number
  /** CPU time of all its threads, user and system, milliseconds; in steps of 10. */
  readonly cpu: number
  /** Peak resident set, bytes. */
  readonly memory: number
}

/** A program did not do what it was started for. */
export class BenchmarkError extends Error { override readonly name = 'BenchmarkError' }

/** Milliseconds between two looks at a process; its peak is kept by the kernel, so only what happens after the last one is missed. */
const LOOK = 20
/** Bytes of what a program says on standard error that an error shows. */
const SHOWN = 2000
const TICK = 10

export const isInstalled = (program: string): boolean => spawnSync('sh', ['-c', `command -v "${program}"`], { stdio: 'ignore' }).status === 0

/** Runs it with its output thrown away. @throws BenchmarkError unless it ends with 0 */
export async function measure([program, ...parameters]: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Use> {
  const nowhere = openSync('/dev/null', 'w')
  const start = performance.now()
  const child = spawn(program, parameters, { stdio: ['ignore', nowhere, 'pipe'], env })
  closeSync(nowhere)
  let said = '', cpu = 0, memory = 0
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said = (said + text).slice(-SHOWN))
  const look = (): void => {
    const { pid } = child
    if (pid === undefined) return
    cpu = cpuOf(pid) ?? cpu
    memory = peakOf(pid) ?? memory
  }
  const looks = setInterval(look, LOOK)
  try {
    const [code] = await once(child, 'exit') as [number | null]
    const time = performance.now() - start
    if (code !== 0) throw new BenchmarkError(`${[program, ...parameters].join(' ')} ended with ${String(code)}: ${said.trim()}`)
    return { time, cpu, memory }
  } finally {
    clearInterval(looks)
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // it has just ended
  }
}

/** proc(5): the name of the program is in brackets and may hold anything; utime and stime are fields 14 and 15, in hundredths of a second. */
function cpuOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK
}

function peakOf(pid: number): number | null {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return kilobytes === undefined ? null : Number(kilobytes) * 1024
}
