// `npm run bench`: our router beside the kernel's NAT and other people's, in one run, in namespaces. Exit 0 when it was measured, 2 for
// wrong usage or a machine that refuses. A figure that is missed is marked and changes nothing of that: a bench is no check.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../lab/write-whole.js'
import { load, machineAfter, versionOf } from './machine.js'
import { networkChart } from './network/chart.js'
import { allEntrants } from './network/entrants.js'
import { FIGURES, FLOWS, LAST_MEASURES, MANY_FLOWS, MEASURES } from './network/figures.js'
import { troubleLines, networkTables, targetTable } from './network/report.js'
import { Network, type Turn } from './network/run.js'
import { PARTS, runParts } from './parts.js'
import { takeTurns } from './rounds.js'
import { readSettings, type Settings } from './settings.js'
import { networkTargets } from './targets.js'

/** One line that is written over, on a terminal alone. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

async function run({ quick, rounds, timing, only, out, json }: Settings): Promise<void> {
  mkdirSync(out, { recursive: true })
  const isWanted = ({ name }: { readonly name: string }): boolean => only?.includes(name) ?? true
  const loadBefore = load(), began = performance.now()
  const network = new Network(allEntrants().filter(isWanted), timing)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      progress('')
      void network.close().then(() => process.exit(130))
    })
  }
  const turn = async ({ name, run: take }: Turn, round: number): Promise<void> => {
    progress(`round ${round + 1} of ${rounds}: ${name}`)
    await take(round)
  }
  try {
    progress('bringing everybody up')
    await network.open()
    await network.warmUp(FLOWS)
    await takeTurns(network.contests(MEASURES.filter(({ isExtra }) => !quick || isExtra !== true)), rounds, turn)
    await network.warmUp(MANY_FLOWS)
    await takeTurns(network.contests(LAST_MEASURES), rounds, turn)
  } finally {
    await network.close()
  }
  const parts = await runParts(PARTS.filter(isWanted), quick, rounds, progress)
  progress('')
  const entrants = network.results(), targets = [...networkTargets(entrants), ...parts.flatMap(part => part.targets)]
  const machine = machineAfter(loadBefore), seconds = (performance.now() - began) / 1000
  const title = `${rounds === 1 ? 'one round' : `${rounds} interleaved rounds`} on ${machine.cores} cores, Linux ${machine.kernel}`
  const programs = { nft: versionOf('nft', '--version'), slirp4netns: versionOf('slirp4netns', '--version'), pasta: versionOf('pasta', '--version'), iperf3: versionOf('iperf3', '--version') }
  const result = `${JSON.stringify({ rounds, timing, seconds, machine, programs, figures: FIGURES, entrants, parts: Object.fromEntries(parts.map(({ name, data }) => [name, data])), targets }, null, 2)}\n`
  writeWhole(join(out, 'bench.json'), result)
  writeWhole(join(out, 'bench.svg'), networkChart(`Our router beside others: ${title}`, entrants))
  process.stdout.write(json ? result : `${[
    `${title}; load ${loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after; ${Math.round(seconds)} s`, '',
    ...networkTables(entrants), ...parts.flatMap(({ title: heading, lines }) => [`${heading}:`, '', ...lines, '']), ...targetTable(targets), '', ...troubleLines(entrants), `written: ${join(out, 'bench.json')}, ${join(out, 'bench.svg')}`,
  ].join('\n')}\n`)
}

try {
  // Debian has nft where only root looks for programs.
  process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
  const settings = readSettings(process.argv.slice(2), [...allEntrants().map(({ name }) => name), ...PARTS.map(({ name }) => name)])
  if (typeof settings === 'string') process.stdout.write(settings)
  else await run(settings)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
