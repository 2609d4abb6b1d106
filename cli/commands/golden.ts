// naptlab golden: what the packets of a run must be, recorded once, reviewed as text, and checked from then on.
import { dirname, join } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import {
  checkGoldenFiles, decodePayload, diffGoldens, findGolden, formatGoldenReport, goldensToJunit, goldensToTap, GOLDENS_FOLDER, inputFiles, lintGoldens,
  pairFolders, readGolden, recordFolder, type FolderCheck, type GoldenReport,
} from '../../captures/index.js'
import { noGolden } from '../../captures/regression/golden.js'
import { printable } from '../../captures/decode/text-width.js'
import { writeWhole } from '../../lab/write-whole.js'
import { confirm, mustBeAsked } from '../confirm.js'
import { UsageError } from '../errors.js'
import { captureOptions, freedomOf, freedomOptions, keysOf, type CaptureArguments, type FreedomArguments } from '../golden-options.js'
import { toJson } from '../json.js'
import { withProgress } from '../progress.js'

const decoder = decodePayload
const FORMATS = ['people', 'tap', 'junit', 'json'] as const
type Format = typeof FORMATS[number]

interface RecordArguments extends CaptureArguments, FreedomArguments { readonly name: string, readonly out: string | undefined, readonly force: boolean }

const recordCommand: CommandModule<object, RecordArguments> = {
  command: 'record [captures..]',
  describe: 'Record a golden from the captures of a good run',
  builder: yargs => freedomOptions(captureOptions(yargs))
    .option('name', { type: 'string', demandOption: true, requiresArg: true, describe: 'What the golden is called' })
    .option('out', { alias: 'o', type: 'string', requiresArg: true, describe: `Its folder, for golden.yaml and capture.pcapng (default: ${GOLDENS_FOLDER}/NAME)` })
    .option('force', { type: 'boolean', default: false, describe: 'Replace a golden that is there' })
    .example('$0 golden record good.pcapng --name call', `${GOLDENS_FOLDER}/call, for your own traffic as for the documents'`)
    .example('$0 golden record --as lan=eth1.pcap --as wan=eth0.pcap --name call', 'both sides of a router'),
  async handler(args) {
    const { name, captures, as, force } = args, folder = args.out ?? join(GOLDENS_FOLDER, name)
    if (args.out === undefined && !/^[^/.][^/]*$/.test(name)) throw new UsageError(`--name ${name}: a golden's folder is called so; give a name without a slash and a dot in front, or --out FOLDER`)
    const golden = await withProgress('recording', onProgress =>
      recordFolder(inputFiles(captures, as), { name, folder, force, decoder, ...freedomOf(args), ...keysOf(args), onProgress }))
    const flows = [...golden.interfaces.values()].flat()
    say([`golden ${name}: ${flows.reduce((sum, flow) => sum + (flow.digest?.packets ?? flow.entries.length), 0)} packets and messages of ${flows.length} flows, in ${folder}`, 'Look through its golden.yaml before you commit it.'])
  },
}

interface CheckArguments extends CaptureArguments {
  readonly golden: string | undefined
  readonly folder: string | undefined
  readonly partial: boolean
  readonly format: Format
  readonly out: string | undefined
}

const checkCommand: CommandModule<object, CheckArguments> = {
  command: 'check [captures..]',
  describe: 'Compare captures with a golden, or a folder of captures with a folder of goldens',
  builder: yargs => reportOptions(captureOptions(yargs))
    .option('golden', { type: 'string', requiresArg: true, conflicts: 'folder', describe: `Its name (in ${GOLDENS_FOLDER}/, or one of naptlab's own), its folder or its file` })
    .option('folder', { type: 'string', requiresArg: true, describe: 'All goldens of this folder, each with NAME.pcapng, NAME.pcap or NAME/ of the folder that is given' })
    .option('partial', { type: 'boolean', default: false, describe: 'Interfaces of the golden without a capture need not be there' })
    .example('$0 golden check today.pcapng --golden call', 'what differs, by field, with the likeliest cause')
    .example(`$0 golden check captures --folder ${GOLDENS_FOLDER} --format junit -o report.xml`, 'every golden, for CI'),
  async handler(args) {
    const { partial, format } = args
    const reports: GoldenReport[] = []
    for (const { name, golden, files } of checksOf(args)) {
      reports.push(golden === null ? noGolden(name) : await withProgress(`checking ${name}`, onProgress => checkGoldenFiles(files, golden, { decoder, partial, ...keysOf(args), onProgress })))
    }
    publish(reports, format, args.out, partial)
  },
}

/** @throws UsageError unless either a golden or a folder of them is named */
function checksOf({ captures, as, golden, folder }: CheckArguments): FolderCheck[] {
  if (folder === undefined) {
    if (golden === undefined) throw new UsageError('Which golden? Give --golden NAME, or --folder FOLDER for all that are in it.')
    return [{ name: golden, golden: findGolden(golden), files: inputFiles(captures, as) }]
  }
  if (captures.length !== 1 || as.length > 0) throw new UsageError(`--folder ${folder} is compared with a folder of captures: give one, in place of files`)
  return pairFolders(folder, captures[0])
}

interface DiffArguments extends FreedomArguments { readonly a: string, readonly b: string, readonly keys: string | undefined, readonly format: 'people' | 'json' }

const diffCommand: CommandModule<object, DiffArguments> = {
  command: 'diff <a> <b>',
  describe: 'Compare two captures, two goldens, or one of each',
  builder: yargs => freedomOptions(yargs)
    .positional('a', { type: 'string', demandOption: true, describe: 'What is wanted: a capture, or a golden by name or path' })
    .positional('b', { type: 'string', demandOption: true, describe: 'What came: the same' })
    .option('keys', { type: 'string', requiresArg: true, describe: 'The key log that opens TLS connections' })
    .option('format', { choices: ['people', 'json'] as const, default: 'people' as const, describe: 'How the report looks' })
    .example('$0 golden diff monday.pcapng friday.pcapng', 'what changed since it worked')
    .example('$0 golden diff fig2 fig8b', 'two goldens'),
  async handler(args) {
    const report = await withProgress('comparing', onProgress => diffGoldens(args.a, args.b, { decoder, ...freedomOf(args), ...keysOf(args), onProgress }))
    publish([report], args.format, undefined, false)
  },
}

interface UpdateArguments extends CaptureArguments { readonly golden: string, readonly yes: boolean }

const updateCommand: CommandModule<object, UpdateArguments> = {
  command: 'update [captures..]',
  describe: 'Show how captures differ from a golden, and after a yes record it anew from them',
  builder: yargs => captureOptions(yargs)
    .option('golden', { type: 'string', demandOption: true, requiresArg: true, describe: 'Its name, its folder or its file' })
    .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' })
    .example('$0 golden update today.pcapng --golden call', 'after a change that is meant'),
  async handler(args) {
    mustBeAsked('A golden is updated', args.yes, process.env, process.stdin.isTTY)
    const files = inputFiles(args.captures, args.as), path = findGolden(args.golden), golden = readGolden(path)
    if (golden === null) throw new UsageError(`there is no golden at ${path}. Record it: naptlab golden record`)
    const report = await withProgress('checking', onProgress => checkGoldenFiles(files, path, { decoder, ...keysOf(args), onProgress }))
    say(formatGoldenReport(report))
    if (report.uncaptured.length > 0) throw new UsageError(`nothing was changed: the golden has ${report.uncaptured.join(', ')}, of which there is no capture. Give the captures of a whole run, or record it anew: naptlab golden record --force`)
    if (report.ok) {
      say(['There is nothing to update.'])
      return
    }
    if (!args.yes && !await confirm(`Record ${path} anew from these captures?`)) {
      say(['Nothing was changed.'])
      process.exitCode = 1
      return
    }
    const { name, ports, periodic, bothWays } = golden
    await withProgress('recording', onProgress => recordFolder(files, { name, folder: dirname(path), force: true, decoder, ports, periodic, bothWays, ...keysOf(args), onProgress }))
    say([`${path} was recorded anew. Look through what changed before you commit it.`])
  },
}

interface LintArguments { readonly folder: string, readonly json: boolean }

const lintCommand: CommandModule<object, LintArguments> = {
  command: 'lint [folder]',
  describe: 'Find stray files, and goldens that cannot be read, are empty, or do not hold for their own captures',
  builder: yargs => yargs
    .positional('folder', { type: 'string', default: GOLDENS_FOLDER, describe: 'A folder of goldens, or of one golden' })
    .option('json', { type: 'boolean', default: false, describe: 'The findings as JSON' })
    .example('$0 golden lint', `one line for each thing that is wrong in ${GOLDENS_FOLDER}/`),
  async handler({ folder, json }) {
    const { goldens, findings } = await withProgress(`reading ${folder}`, () => lintGoldens(folder, decoder))
    if (json) console.log(toJson({ goldens, findings }))
    else say(findings.length === 0 ? [`✓ ${goldens} goldens in ${folder}`] : findings.map(({ path, problem }) => `✗ ${path}: ${problem}`))
    process.exitCode = findings.length === 0 ? 0 : 1
  },
}

interface ReportArguments { readonly format: Format, readonly out: string | undefined }

const reportOptions = <T>(yargs: Argv<T>): Argv<T & ReportArguments> => yargs
  .option('format', { choices: FORMATS, default: 'people' as const, describe: 'How the report looks: TAP 14 and JUnit XML have a test for each flow' })
  .option('out', { alias: 'o', type: 'string', requiresArg: true, describe: 'Write the report to this file' })

const REPORTS: Readonly<Record<Format, (reports: readonly GoldenReport[], isPartial: boolean) => string>> = {
  people: reports => reports.flatMap(formatGoldenReport).map(line => `${printable(line)}\n`).join(''),
  tap: goldensToTap,
  junit: goldensToJunit,
  json: reports => `${toJson(reports.length === 1 ? reports[0] : reports)}\n`,
}

function publish(reports: readonly GoldenReport[], format: Format, out: string | undefined, isPartial: boolean): void {
  const text = REPORTS[format](reports, isPartial)
  if (out === undefined) process.stdout.write(text)
  else writeWhole(out, text)
  process.exitCode = reports.length > 0 && reports.every(report => report.ok) ? 0 : 1
}

const say = (lines: readonly string[]): void => console.log(lines.map(printable).join('\n'))

export const goldenCommand: CommandModule = {
  command: 'golden <action>',
  describe: 'Goldens: what the packets of a run must be',
  builder: yargs => yargs.command(recordCommand).command(checkCommand).command(diffCommand).command(updateCommand).command(lintCommand)
    .demandCommand(1, 'What about goldens? There is: record, check, diff, update, lint.')
    .example('$0 golden record good.pcapng --name call', 'from a run that was good')
    .example('$0 golden check today.pcapng --golden call', 'exit 1 when anything differs'),
  handler: () => undefined,
}
