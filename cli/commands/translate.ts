// naptlab translate: capture files put through a NAT. Exit 0 when they were read to their ends, 1 when one is damaged, 2 for wrong usage.
import type { CommandModule } from 'yargs'
import { natNamed } from '../../lab/read-nat.js'
import type { TranslateInput } from '../../lab/translate/sources.js'
import { translate } from '../../lab/translate/translate.js'
import { COMMENT_CHOICES, type CommentChoice } from '../../lab/translate/translation.js'
import { UsageError } from '../errors.js'
import { toJson } from '../json.js'
import { StatusLine } from '../terminal.js'
import { routerOptions, routerOptionsOf, type RouterArguments } from '../translate-options.js'
import { reportData, reportLines } from '../translate-text.js'

interface TranslateArguments extends RouterArguments {
  readonly input: string | undefined
  readonly output: string
  readonly nat: string
  readonly 'lan-file': string | undefined
  readonly 'wan-file': string | undefined
  readonly comments: CommentChoice
  readonly json: boolean
}

export const translateCommand: CommandModule<object, TranslateArguments> = {
  command: 'translate [input]',
  describe: 'Put a capture file through a NAT, offline: what would have come out, and why',
  builder: yargs => routerOptions(yargs
    .positional('input', { type: 'string', describe: 'A capture of a LAN, or of both sides on interfaces named *-lan and *-wan; - for standard input' })
    .option('output', { alias: 'o', type: 'string', demandOption: true, requiresArg: true, describe: 'The pcapng file to write: both sides, with the verdict on each packet' })
    .option('nat', { type: 'string', default: 'rfc-recommended', requiresArg: true, describe: 'A preset (naptlab nat list) or a YAML file' })
    .option('lan-file', { type: 'string', requiresArg: true, describe: 'A capture of the LAN side alone, in place of the input' })
    .option('wan-file', { type: 'string', requiresArg: true, describe: 'A capture of the WAN side alone, beside it' })
    .option('comments', { choices: COMMENT_CHOICES, default: 'all' as const, describe: 'Beside which packets the verdict stands in words' })
    .option('json', { type: 'boolean', default: false, describe: 'The summary as JSON' }))
    .example('$0 translate client.pcap -o out.pcapng --nat symmetric', 'a client\'s trace, as if it had been behind a symmetric NAT')
    .example('$0 translate --lan-file lan.pcap --wan-file wan.pcap -o out.pcapng --nat ./my.yaml', 'what came in on both sides of a router')
    .example('$0 explain out.pcapng 17', 'what became of packet 17, and why'),
  handler: async args => {
    const status = new StatusLine(process.stderr)
    const report = await translate(inputOf(args), {
      ...routerOptionsOf(args), nat: natNamed(args.nat), output: args.output, comments: args.comments, onProgress: progress(status),
    }).finally(() => status.clear())
    console.log(args.json ? toJson(reportData(report)) : reportLines(report).join('\n'))
    for (const damage of report.damage) process.stderr.write(`${damage.message}\n`)
    process.exitCode = report.damage.length > 0 ? 1 : 0
  },
}

function inputOf({ input, 'lan-file': lanFile, 'wan-file': wanFile }: TranslateArguments): TranslateInput {
  if (input !== undefined && (lanFile !== undefined || wanFile !== undefined)) throw new UsageError('give one file, or --lan-file and --wan-file, not both')
  if (input !== undefined) return { file: input }
  if (lanFile === undefined) throw new UsageError(wanFile === undefined ? 'which capture? Give a file, or --lan-file' : 'a NAT makes its mappings for what comes from the LAN: give --lan-file too')
  return { lan: lanFile, ...(wanFile === undefined ? {} : { wan: wanFile }) }
}

/** Milliseconds before progress is worth showing, and between two times. */
const PATIENCE = 1000, INTERVAL = 200

function progress(status: StatusLine): (read: number, all: number | null) => void {
  let due = performance.now() + PATIENCE
  return (read, all) => {
    if (performance.now() < due) return
    due = performance.now() + INTERVAL
    status.show(`${(read / 1e6).toFixed(0)} MB${all === null ? '' : ` of ${(all / 1e6).toFixed(0)} MB`} read`)
  }
}
