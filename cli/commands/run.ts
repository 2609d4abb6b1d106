// naptlab run: a documented sequence on a bench, shown live and checked.
import { relative } from 'node:path'
import type { CommandModule } from 'yargs'
import { Folding, formatFigures, formatGoldenReport, LadderText, type LadderEntry } from '../../captures/index.js'
import { describedBench } from '../../lab/benches/index.js'
import { FIG2_LANES, runFig2, type Fig2Result } from '../../lab/fig2.js'
import { toJson } from '../json.js'
import { stopSignal } from '../conversation.js'
import { UsageError } from '../errors.js'
import { natOption, withNats } from '../nat-option.js'
import { columns, mappingLines } from '../tables.js'
import { hasColour } from '../terminal.js'

interface RunArguments {
  readonly scenario: string
  readonly bench: string | undefined
  readonly variant: 'fig2' | 'fig8b'
  readonly level: number
  readonly out: string | undefined
  readonly seed: string
  readonly nat: readonly string[]
  readonly json: boolean
  readonly all: boolean
}

/** Columns, where the output is no terminal. */
const PLAIN_WIDTH = 120

export const runCommand: CommandModule<object, RunArguments> = {
  command: 'run <scenario>',
  describe: 'Run a documented sequence on a bench of its own, with every packet shown and checked',
  builder: yargs => natOption(yargs)
    .positional('scenario', { type: 'string', demandOption: true, choices: ['fig2'], describe: 'fig2: 102 and 103, each behind a NAPT router, find each other through 101' })
    .option('bench', { type: 'string', describe: 'A bench file of your own (begin with: naptlab bench fig1 > my.yaml)' })
    .option('variant', { choices: ['fig2', 'fig8b'] as const, default: 'fig2' as const, describe: 'fig8b: 104b\'s mapping lapses and comes back as port 2400, to the digit of Fig. 8B' })
    .option('level', { type: 'number', choices: [1, 2, 3], default: 3, describe: '1: by UDP alone; 2: with 205 and a second connection; 3: with the password' })
    .option('out', { type: 'string', describe: 'Folder for the captures [out/fig2, or out/VARIANT]' })
    .option('seed', { type: 'string', default: '1', describe: 'For whatever the routers draw by lot' })
    .option('all', { type: 'boolean', default: false, describe: 'Show acknowledgements and the rest of handshakes too' })
    .option('json', { type: 'boolean', default: false, describe: 'The result as JSON; the ladder is left out' })
    .example('$0 run fig2', 'the standard run')
    .example('$0 run fig2 --variant fig8b', 'the list is brought up to date by the next 201 (S202A)')
    .example('$0 run fig2 --level 1 --all', 'without 205 and password, every packet shown')
    .example('$0 run fig2 --nat 104b=symmetric', 'the same sequence with another NAT in front of 103')
    .example('$0 run fig2 --bench my.yaml --out /tmp/mine', 'the same sequence behind your NAT'),
  handler: async args => {
    const { variant, bench, seed, json, nat } = args
    const level = args.level === 1 || args.level === 2 ? args.level : 3
    if (variant === 'fig8b' && (bench !== undefined || nat.length > 0)) throw new UsageError('--variant fig8b is about the bench of the documents; leave --bench and --nat out.')
    const out = args.out ?? `out/${variant}`
    const description = bench === undefined && nat.length === 0 ? {} : { bench: withNats(describedBench(bench ?? 'fig1'), nat) }
    const view = json ? null : new LiveLadder(`naptlab run fig2 · ${[bench ?? 'bench of Fig. 1', ...nat].join(', ')} · level ${level}, no encryption · seed ${seed}`, args.all)
    const result = await runFig2({
      ...description, variant, level, out, seed, signal: stopSignal(),
      ...(view === null ? {} : { onEntry: entry => view.show(entry), onNotice: text => process.stderr.write(`note: ${text}\n`) }),
    })
    view?.end()
    console.log(json ? toJson(result) : summary(result, out, level).join('\n'))
    process.exitCode = result.ok ? 0 : 1
  },
}

/** The ladder as it happens; the header comes with the first entry, whose time is 0. */
class LiveLadder {
  readonly #title: string
  readonly #detail: boolean
  readonly #folding = new Folding()
  #text: LadderText | undefined

  constructor(title: string, detail: boolean) {
    this.#title = title
    this.#detail = detail
  }

  show(entry: LadderEntry): void {
    if (this.#detail) this.#print(entry)
    else for (const each of this.#folding.push(entry)) this.#print(each)
  }

  end(): void {
    for (const entry of this.#folding.flush()) this.#print(entry)
  }

  #print(entry: LadderEntry): void {
    if (this.#text === undefined) {
      const width = process.stdout.isTTY ? process.stdout.columns : PLAIN_WIDTH
      this.#text = new LadderText(FIG2_LANES, entry.time, { width, colour: hasColour(), detail: this.#detail })
      this.#write(['', ...this.#text.header(this.#title)])
    }
    this.#write(this.#text.entry(entry))
  }

  #write(lines: readonly string[]): void {
    for (const line of lines) process.stdout.write(`${line.trimEnd()}\n`)
  }
}

function summary({ ok, failures, tables, equipment, figures, golden, captures, file, isWitnessed }: Fig2Result, out: string, level: number): string[] {
  const names: Readonly<Record<string, string>> = { '104a': ' (Fig. 6)', '104b': ' (Fig. 12)' }
  return [
    '',
    ...Object.entries(tables).flatMap(([router, table]) => [`NAPT table of ${router}${names[router] ?? ''}`, ...mappingLines(table), '']),
    'Equipment list of 101 (Fig. 9)',
    ...columns([['equipment ID', 'IP address', 'port'], ...equipment.map(entry => [entry.equipmentId, entry.address, String(entry.port)])]),
    '',
    `Packet layouts of Figs. 7 and 8${level < 3 ? ' (they belong to level 3; what differs at this level is listed)' : ''}`,
    ...formatFigures(figures).map(line => `  ${line}`),
    ...(golden === null ? [] : ['', ...formatGoldenReport(golden)]),
    ...(file === null ? [] : ['', `S209  102 sent 103 a file of ${file.bytes} bytes, SHA-256 ${file.sha256.slice(0, 16)}…, the same at both ends`]),
    '',
    `captures  ${captures.length} files in ${relative('.', out) || '.'}: ${isWitnessed ? 'both sides of both routers, and the hosts through libpcap' : 'both sides of both routers'}`,
    ...failures.map(failure => `✗ ${failure}`),
    ok ? '✓ all holds' : '✗ not all holds',
  ]
}
