// The router's core alone: no devices, no kernel, one thread. What a look-up, a new mapping and expiry take with 1,000 to 4,000,000
// mappings, and the memory that one takes with its session. Each size has a process of its own, so that its memory is its own.
//
//   node dist/bench/core.js [--quick] [--json]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { BenchmarkError } from './process.js'
import type { Target } from './targets.js'
import { measureCore, type CoreFigures, type CoreRun } from './core-run.js'

const SIZES = [1000, 64_000, 1_000_000, 4_000_000]
export const QUICK_SIZES: readonly number[] = [1000, 64_000, 1_000_000]

export interface CoreOptions {
  readonly sizes?: readonly number[]
  /** Seconds of look-ups at each size; filling and emptying the table come on top. */
  readonly seconds?: number
  /** Called before each size. */
  readonly onSize?: (mappings: number) => void
}

/** Measures size after size. @throws BenchmarkError when a process fails */
export async function benchCore({ sizes = SIZES, seconds = 5, onSize }: CoreOptions = {}): Promise<CoreFigures[]> {
  const figures: CoreFigures[] = []
  for (const mappings of sizes) {
    onSize?.(mappings)
    figures.push(await measureInProcess({ mappings, seconds }))
  }
  return figures
}

async function measureInProcess(run: CoreRun): Promise<CoreFigures> {
  const child = spawn(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), '--one', JSON.stringify(run)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = '', complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => said += text)
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaint = (complaint + text).slice(-2000))
  const [code] = await once(child, 'close') as [number | null]
  if (code !== 0) throw new BenchmarkError(`the core with ${run.mappings} mappings ended with ${String(code)}: ${complaint.trim()}`)
  return JSON.parse(said) as CoreFigures
}

const millions = (rate: number): string => (rate / 1e6).toFixed(rate < 1e7 ? 2 : 1)

/** Lines of a Markdown table. */
export function coreTable(figures: readonly CoreFigures[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const headings = ['mappings', 'out, M frames/s', 'in, M frames/s', 'new, M/s', 'slowest batch of 64 new', 'bytes a mapping', 'expiry: longest turn', 'turns', 'all of it']
  return [line(headings), line(headings.map(() => '---')), ...figures.map(({ mappings, outbound, inbound, creation, bytes, expiry }) => line([
    mappings.toLocaleString('en'), `${millions(outbound.median)} (best ${millions(outbound.most)})`, `${millions(inbound.median)} (best ${millions(inbound.most)})`, millions(creation.rate),
    `${creation.slowestBatch.toFixed(2)} ms`, bytes.toFixed(0), `${expiry.longestTurn.toFixed(2)} ms`, String(expiry.turns), `${expiry.total.toFixed(0)} ms`,
  ]))]
}

/** What is to be reached; of sizes that were measured. */
export function coreTargets(figures: readonly CoreFigures[]): Target[] {
  const least = (what: string, unit: string, wanted: number, reached: number): Target => ({ what, wanted: `${wanted} ${unit}`, reached: `${reached.toFixed(2)} ${unit}`, ok: reached >= wanted })
  const most = (what: string, unit: string, wanted: number, reached: number): Target => ({ what, wanted: `${wanted} ${unit} at most`, reached: `${reached.toFixed(2)} ${unit}`, ok: reached <= wanted })
  return figures.flatMap(({ mappings, outbound, inbound, creation, bytes, expiry }) => {
    const rate = Math.min(outbound.median, inbound.median) / 1e6
    if (mappings === 1000) return [least('core, 1,000 mappings', 'M frames/s', 20, rate)]
    return mappings !== 1_000_000 ? [] : [
      least('core, 1,000,000 mappings', 'M frames/s', 5, rate), least('core, new mappings', 'M/s', 2, creation.rate / 1e6),
      most('core, a mapping with its session', 'bytes', 128, bytes), most('core, longest turn of expiry', 'ms', 1, expiry.longestTurn),
    ]
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, one: { type: 'string' } } })
  if (values.one !== undefined) {
    process.stdout.write(`${JSON.stringify(measureCore(JSON.parse(values.one) as CoreRun))}\n`)
    return
  }
  const onSize = (mappings: number): void => { if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${mappings.toLocaleString('en')} mappings`) }
  const figures = await benchCore({ ...values.quick ? { sizes: QUICK_SIZES, seconds: 1 } : {}, onSize })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  process.stdout.write(values.json ? `${JSON.stringify(figures, null, 2)}\n` : `${coreTable(figures).join('\n')}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  }
}
