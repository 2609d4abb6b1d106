// naptlab run compare: the same data by relay, by log-in relay and directly, measured side by side.
import { relative } from 'node:path'
import { QUANTITIES } from '../../lab/systems/compare-chart.js'
import { MOST_MOVED, runCompare, type CompareResult, type Progress } from '../../lab/systems/compare.js'
import { bytesText, readSize, secondsText } from '../../lab/quantities.js'
import { stopSignal } from '../stop-signal.js'
import { UsageError } from '../errors.js'
import { toJson } from '../json.js'
import { columns } from '../tables.js'
import { StatusLine } from '../terminal.js'
import { hasOnly, type SystemOptions } from './system.js'

export interface CompareArguments extends SystemOptions {
  readonly transfer: string | undefined
  readonly out: string | undefined
  readonly seed: string
  readonly json: boolean
  readonly all: boolean
}

const TRANSFER = '100MB'

/** Prints the table, or all of it as JSON; sets the exit code. @throws UsageError, BenchError */
export async function compare(args: CompareArguments): Promise<void> {
  hasOnly('compare', args)
  if (args.all) throw new UsageError('run compare shows no packets; leave --all out.')
  const bytes = transferSize(args.transfer ?? TRANSFER)
  const status = new StatusLine(process.stderr)
  const result = await runCompare({
    bytes, out: args.out ?? 'out/compare', seed: args.seed, signal: stopSignal(), onProgress: progress => status.show(progressText(progress)),
  }).finally(() => status.clear())
  console.log(args.json ? toJson(result) : comparisonLines(result).join('\n'))
  process.exitCode = result.ok ? 0 : 1
}

/** @throws UsageError unless `text` is a size from 1 byte to 1 TiB */
export function transferSize(text: string): number {
  const bytes = readSize(text)
  if (bytes === null) throw new UsageError(`--transfer: '${text}' is not a size (such as 100MB, 64MiB, 1.5GB or 4096)`)
  if (bytes < 1 || bytes > MOST_MOVED) throw new UsageError(`--transfer: ${text} is not from 1 byte to 1 TiB`)
  return bytes
}

const progressText = ({ title, bytes, of }: Progress): string => `${title}: ${bytesText(bytes)} of ${bytesText(of)}, ${Math.floor(bytes / of * 100)} %`

export function comparisonLines({ ok, bytes, rows, failures, chart }: CompareResult): string[] {
  const { throughServer, throughput, serverCpu } = QUANTITIES
  const table = [
    ['system', throughServer.title, 'in', 'out', 'time', throughput.title, serverCpu.title],
    ...rows.map(row => [
      row.title, throughServer.text(throughServer.value(row)), bytesText(row.serverReceived), bytesText(row.serverSent), secondsText(row.seconds),
      throughput.text(throughput.value(row)), serverCpu.text(serverCpu.value(row)),
    ]),
  ]
  return [
    `${bytesText(bytes)} from one LAN to another, each behind a NAPT router of its own`, ...columns(table), '',
    ...(chart === null ? [] : [`chart  ${relative('.', chart)}`]),
    ...failures.map(failure => `✗ ${failure}`),
    ok ? '✓ all of it came, unchanged, by every system' : '✗ not all of it came',
  ]
}
