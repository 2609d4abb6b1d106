// `npm run bench`: our router beside the kernel's NAT and other people's, in one run, in namespaces. Exit 0 when it was measured, 2 for
// wrong usage or a machine that refuses. A figure that is missed is marked and changes nothing of that: a bench is no check.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../lab/write-whole.js'
import { timeFig2 } from './fig2-start.js'
import { load, machineAfter, versionOf } from './machine.js'
import { networkChart } from './network/chart.js'
import { allEntrants } from './network/entrants.js'
import { FIGURES, MEASURES } from './network/figures.js'
import { troubleLines, networkTables, targetTable } from './network/report.js'
import { Network, type Turn } from './network/run.js'
import { PARTS, type Part, type PartResult } from './parts.js'
import { takeTurns } from './rounds.js'
import { readSettings, type Settings } from './settings.js'
import { spreadOf } from './statistics.js'
import { fig2Target, networkTargets } from './targets.js'

const FIG2 = 'fig2'

/** One line that is written over, on a terminal alone. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

async function run({ quick, rounds, timing, only, out, json }: Settings): Promise<void> {
  mkdirSync(out, { recursive: true })
  const isWanted = (name: string): boolean => only?.includes(name) ?? true
  const folder = mkdtempSync(join(out, 'bench-')), loadBefore = load(), began = performance.now()
  const network = new Network(allEntrants().filter(({ name }) => isWanted(name)), timing, MEASURES.filter(({ isExtra }) => !quick || isExtra !== true)), fig2: number[] = []
  const end = async (): Promise<void> => {
    progress('')
    await network.close()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void end().then(() => process.exit(130)))
  try {
    progress('bringing everybody up')
    await network.open()
    const start: Turn = { name: 'naptlab run fig2', run: async () => { fig2.push(await timeFig2(folder)) } }
    await takeTurns([...network.contests(), ...isWanted(FIG2) ? [[start]] : []], rounds, async (turn, round) => {
      progress(`round ${round + 1} of ${rounds}: ${turn.name}`)
      await turn.run(round)
    })
  } finally {
    await end()
  }
  const parts = await runParts(PARTS.filter(({ name }) => isWanted(name)), quick, rounds)
  const entrants = network.results(), targets = [...networkTargets(entrants), ...parts.flatMap(part => part.targets), fig2Target(fig2.length === 0 ? null : spreadOf(fig2).median)]
  const machine = machineAfter(loadBefore), seconds = (performance.now() - began) / 1000
  const title = `${rounds === 1 ? 'one round' : `${rounds} interleaved rounds`} on ${machine.cores} cores, Linux ${machine.kernel}`
  const programs = { nft: versionOf('nft', '--version'), slirp4netns: versionOf('slirp4netns', '--version'), pasta: versionOf('pasta', '--version'), iperf3: versionOf('iperf3', '--version') }
  const result = `${JSON.stringify({ rounds, timing, seconds, machine, programs, figures: FIGURES, entrants, fig2, parts: Object.fromEntries(parts.map(({ name, data }) => [name, data])), targets }, null, 2)}\n`
  writeWhole(join(out, 'bench.json'), result)
  writeWhole(join(out, 'bench.svg'), networkChart(`Our router beside others: ${title}`, entrants))
  process.stdout.write(json ? result : `${[
    `${title}; load ${loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after; ${Math.round(seconds)} s`, '',
    ...networkTables(entrants), ...parts.flatMap(({ title: heading, lines }) => [`${heading}:`, '', ...lines, '']), ...targetTable(targets), '', ...troubleLines(entrants), `written: ${join(out, 'bench.json')}, ${join(out, 'bench.svg')}`,
  ].join('\n')}\n`)
}

/** One that fails says so, and the others are told all the same. */
async function runParts(parts: readonly Part[], quick: boolean, rounds: number): Promise<(PartResult & Pick<Part, 'name' | 'title'>)[]> {
  const results: (PartResult & Pick<Part, 'name' | 'title'>)[] = []
  for (const { name, title, run: runPart } of parts) {
    try {
      results.push({ name, title, ...await runPart(quick, rounds, progress) })
    } catch (error) {
      results.push({ name, title, data: null, targets: [], lines: [`failed: ${error instanceof Error ? error.message : String(error)}`] })
    }
    progress('')
  }
  return results
}

try {
  // Debian has nft where only root looks for programs.
  process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
  const settings = readSettings(process.argv.slice(2), [...allEntrants().map(({ name }) => name), ...PARTS.map(({ name }) => name), FIG2])
  if (typeof settings === 'string') process.stdout.write(settings)
  else await run(settings)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
