// The benches of this user that are up. Nothing is kept on disk for it: the processes are looked at, so nothing goes stale.
import { readFileSync } from 'node:fs'
import { BenchError } from './bench.js'
import { KEEPER_PROGRAM } from './launch.js'
import { ownProcesses } from './process.js'
import { RECORD_FILE, type BenchRecord, type Mode } from './protocol.js'

export interface FoundBench {
  readonly name: string
  readonly mode: Mode
  /** The keeper's id on the machine. */
  readonly pid: number
  /** Null while the bench is being built. */
  readonly record: BenchRecord | null
}

export function findBenches(): FoundBench[] {
  return ownProcesses().flatMap(({ pid, args: [, program = '', name = '', mode = ''] }): FoundBench[] => {
    const isKeeper = program.endsWith(KEEPER_PROGRAM) && (mode === 'attached' || mode === 'standing')
    return isKeeper ? [{ name, mode, pid, record: readRecord(pid) }] : []
  })
}

/**
 * The one bench that is meant: by name or by its keeper's id, or, without either, the only one. A standing bench goes before
 * attached ones of the same name, which belong to runs.
 * @throws BenchError when there is none, or more than one
 */
export function findBench(nameOrPid?: string): FoundBench & { readonly record: BenchRecord } {
  const up = findBenches()
  const named = up.filter(({ name, pid }) => nameOrPid === undefined || name === nameOrPid || String(pid) === nameOrPid)
  const standing = named.filter(({ mode }) => mode === 'standing')
  const meant = standing.length > 0 ? standing : named
  const list = (benches: readonly FoundBench[]): string => benches.map(({ name, pid }) => `${name} (${pid})`).join(', ')
  if (meant.length === 0) {
    throw new BenchError(up.length === 0
      ? 'no bench is up: bring one up with `naptlab up`'
      : `no bench '${nameOrPid}' is up; there is ${list(up)}`)
  }
  const [bench, ...others] = meant
  if (others.length > 0) throw new BenchError(`more than one bench is up: say which by name or number, of ${list(meant)}`)
  if (!bench.record) throw new BenchError(`bench ${bench.name} (${bench.pid}) is still being built`)
  return { ...bench, record: bench.record }
}

/** What a keeper has written down, as the process `pid` sees it; null before it has, and after it has ended. */
export function readRecord(pid: number | 'self'): BenchRecord | null {
  try {
    return JSON.parse(readFileSync(`/proc/${pid}/root${RECORD_FILE}`, 'utf8')) as BenchRecord
  } catch {
    return null
  }
}
