// `npm run bench:files`: what naptlab does with a capture file, and how long other tools take for the same. Exit 0 when each figure is as
// promised, 1 when one is not, 2 for wrong usage.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeWhole } from '../lab/write-whole.js'
import { load, machineAfter, versionOf } from './machine.js'
import { BenchmarkError, measure, type Use } from './process.js'
import { chart, table } from './report.js'
import { runRounds, type Contest, type Entrant } from './rounds.js'
import { writeTraffic } from './traffic.js'

const USAGE = `npm run bench:files -- [--quick] [--big] [--rounds N] [--only NAME…] [--packets N] [--seed N] [--out FOLDER] [--naptlab PATH]

  --quick     100,000 packets and 2 rounds: under a minute, for a look
  --big       also a file of 2 GB, for the memory that show, check and translate take
  --rounds    interleaved rounds (5)
  --only      of show, translate and golden check, which are to be held; several with commas
  --packets   of the file (1,000,000)
  --seed      of the file's content (1)
  --out       where results go: files.json and files.svg (out/bench)
  --naptlab   the program to measure (this one's cli/naptlab.js)`

/** Bytes. */
const BIG_FILE = 2e9, BIG_MEMORY = 300e6

interface Settings { readonly rounds: number, readonly only: readonly string[] | null, readonly packets: number, readonly seed: number, readonly big: boolean, readonly out: string, readonly naptlab: string }

function settings(): Settings {
  const { values } = parseArgs({ options: {
    quick: { type: 'boolean', default: false }, big: { type: 'boolean', default: false }, only: { type: 'string' }, rounds: { type: 'string' }, packets: { type: 'string' },
    seed: { type: 'string', default: '1' }, out: { type: 'string', default: 'out/bench' }, naptlab: { type: 'string' },
  } })
  const count = (name: string, text: string): number => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new BenchmarkError(`--${name}: '${text}' is not a number from 1\n\n${USAGE}`)
    return Number(text)
  }
  return {
    only: values.only?.split(',') ?? null, rounds: count('rounds', values.rounds ?? (values.quick ? '2' : '5')), packets: count('packets', values.packets ?? (values.quick ? '100000' : '1000000')),
    seed: count('seed', values.seed), big: values.big, out: values.out, naptlab: values.naptlab ?? fileURLToPath(new URL('../cli/naptlab.js', import.meta.url)),
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
/** One line that is written over, on a terminal alone. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

/** @param more `output` is a file that the command writes: it goes after each turn, so that no turn pays for clearing it away or has the disk busy with it */
function entrant(name: string, command: readonly string[], more: { readonly package?: string, readonly shown?: readonly string[], readonly output?: string } = {}): Entrant {
  const run = async (): Promise<Use> => {
    try {
      return await measure(command)
    } finally {
      if (more.output !== undefined) rmSync(more.output, { force: true })
    }
  }
  return { name, command: more.shown ?? command, ...(more.package === undefined ? {} : { package: more.package }), run }
}

const COLUMNS = ['frame.number', 'frame.time_relative', 'ip.src', 'ip.dst', '_ws.col.Protocol', 'frame.len', '_ws.col.Info'].flatMap(column => ['-e', column])

/** @param folder for what the programs write */
function contestsOf(file: string, folder: string, naptlab: string): Contest[] {
  const ours = (words: readonly string[], output?: string): Entrant => entrant('naptlab', [process.execPath, naptlab, ...words], { shown: ['naptlab', ...words], ...output === undefined ? {} : { output } })
  const translated = join(folder, 'ours.pcapng'), rewritten = join(folder, 'theirs.pcap')
  const golden = join(folder, 'golden')
  execFileSync(process.execPath, [naptlab, 'golden', 'record', file, '--name', 'bench', '--out', golden, '--force'], { stdio: 'ignore' })
  return [
    {
      name: 'show', work: 'decode, and print a line a packet', wanted: 10,
      ours: ours(['show', file]), peer: entrant('tshark -T fields', ['tshark', '-r', file, '-T', 'fields', ...COLUMNS], { package: 'tshark' }),
    },
    {
      name: 'translate', work: 'every address and port rewritten, checksums right', wanted: 1,
      ours: ours(['translate', file, '-o', translated, '--nat', 'rfc-recommended', '--comments', 'none'], translated),
      peer: entrant('tcprewrite', ['tcprewrite', '--pnat=192.168.1.0/24:202.204.16.13/32', '--fixcsum', `--infile=${file}`, `--outfile=${rewritten}`], { package: 'tcpreplay', output: rewritten }),
    },
    {
      name: 'golden check', work: 'every packet compared with a golden', wanted: 5,
      ours: ours(['golden', 'check', file, '--golden', golden]), peer: entrant('tshark', ['tshark', '-r', file], { package: 'tshark' }),
    },
  ]
}

interface BigResult { readonly command: string, readonly bytes: number, readonly memory: number, readonly time: number, readonly ok: boolean }

/** What a file of 2 GB takes of memory. */
async function runBig(folder: string, { seed, naptlab }: Settings): Promise<BigResult[]> {
  const file = join(folder, 'big.pcap'), results: BigResult[] = []
  const packets = Math.ceil(BIG_FILE / 380) // bytes of a record, on average
  writeTraffic(file, packets, seed, done => { progress(`writing the 2 GB file: ${Math.round(done / packets * 100)} %`) })
  try {
    const bytes = statSync(file).size, golden = join(folder, 'big-golden'), translated = join(folder, 'big-out.pcapng')
    const jobs = {
      'show': [file], 'check': [file], 'translate': [file, '-o', translated, '--nat', 'rfc-recommended', '--comments', 'none'],
      'golden record': [file, '--name', 'big', '--out', golden, '--force'], 'golden check': [file, '--golden', golden],
    }
    for (const [command, words] of Object.entries(jobs)) {
      progress(`naptlab ${command} over ${(bytes / 1e9).toFixed(1)} GB`)
      const { memory, time } = await measure([process.execPath, naptlab, ...command.split(' '), ...words])
      results.push({ command, bytes, memory, time, ok: memory < BIG_MEMORY })
      rmSync(translated, { force: true })
    }
  } finally {
    rmSync(file, { force: true })
  }
  return results
}

async function main(): Promise<boolean> {
  const chosen = settings(), { rounds, only, packets, seed, big, out, naptlab } = chosen
  mkdirSync(out, { recursive: true })
  const folder = mkdtempSync(join(out, 'files-'))
  const loadBefore = load()
  try {
    const file = join(folder, 'traffic.pcap')
    writeTraffic(file, packets, seed, done => { progress(`writing ${packets} packets: ${Math.round(done / packets * 100)} %`) })
    progress('recording the golden')
    const all = contestsOf(file, folder, naptlab), contests = all.filter(({ name }) => only?.includes(name) ?? true), stranger = only?.find(name => !all.some(contest => contest.name === name))
    if (stranger !== undefined) throw new BenchmarkError(`--only: there is no '${stranger}'; there are ${all.map(({ name }) => name).join(', ')}`)
    const results = await runRounds(contests, rounds, (round, { name, command }) => { progress(`round ${round + 1} of ${rounds}: ${name === 'naptlab' ? command.slice(0, 2).join(' ') : name}`) })
    const bigResults = big ? await runBig(folder, chosen) : []
    progress('')
    const machine = machineAfter(loadBefore)
    const programs = { tshark: versionOf('tshark', '--version'), tcprewrite: versionOf('tcprewrite', '--version') }
    const title = `${packets.toLocaleString('en')} packets, ${rounds === 1 ? 'one round' : `${rounds} interleaved rounds`}`
    writeWhole(join(out, 'files.json'), `${JSON.stringify({ packets, rounds, seed, bytes: statSync(file).size, machine, programs, results, big: bigResults }, null, 2)}\n`)
    writeWhole(join(out, 'files.svg'), chart(title, results))
    process.stdout.write(`${[
      `${title}; ${machine.cores} cores, load ${loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after`, '', ...table(results),
      ...bigResults.length === 0 ? [] : ['', ...bigResults.map(({ command, bytes, memory, time, ok }) =>
        `${ok ? '✓' : '✗'} naptlab ${command} over ${(bytes / 1e9).toFixed(2)} GB: ${Math.round(memory / 1e6)} MB at most, ${(time / 1000).toFixed(1)} s`)],
      '', `written: ${join(out, 'files.json')}, ${join(out, 'files.svg')}`,
    ].join('\n')}\n`)
    for (const { peer, ours: { name } } of results) if (peer === null) say(`a peer of ${name} is not installed (sudo apt-get install ${contests.map(contest => contest.peer.package).join(' ')})`)
    return results.every(({ ok }) => ok !== false) && bigResults.every(({ ok }) => ok)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

try {
  process.exitCode = await main() ? 0 : 1
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
