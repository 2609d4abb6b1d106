// naptlab record: what passes a standing bench, or an interface, as a capture file.
import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import type { CommandModule } from 'yargs'
import { attach } from '../../lab/index.js'
import { bytesText, readDuration, readSize } from '../../lab/quantities.js'
import { recordBench, recordInterface, type RecordLimits, type RecordOptions } from '../../lab/recording/record.js'
import { stopSignal } from '../stop-signal.js'
import { UsageError } from '../errors.js'
import { toJson } from '../json.js'
import { StatusLine } from '../terminal.js'

interface RecordArguments {
  readonly names: readonly string[]
  readonly bench: string | undefined
  readonly interface: string | undefined
  readonly out: string | undefined
  readonly filter: string | undefined
  readonly snaplen: number | undefined
  readonly packets: number | undefined
  readonly for: string | undefined
  readonly ring: number | undefined
  readonly 'file-size': string | undefined
  readonly 'file-time': string | undefined
  readonly keys: string | undefined
  readonly json: boolean
}

export const recordCommand: CommandModule<object, RecordArguments> = {
  command: 'record [names..]',
  describe: 'Record a standing bench, or an interface, into a pcapng file, until Ctrl-C',
  builder: yargs => yargs
    .usage('$0 record [NAME…]\n\nRecords a standing bench, or an interface, into a pcapng file, until Ctrl-C or until the bench is taken down. Routers are recorded at both sides, each packet with what the router did with it and why; hosts through libpcap.')
    .parserConfiguration({ 'parse-positional-numbers': false })
    .positional('names', { type: 'string', array: true, default: [], describe: 'Routers and hosts of the bench [all of them]' })
    .option('bench', { type: 'string', requiresArg: true, describe: 'Name of the bench, when several stand' })
    .option('interface', { alias: 'i', type: 'string', requiresArg: true, conflicts: ['bench'], describe: 'An interface of this machine in place of a bench' })
    .option('out', { alias: 'o', type: 'string', requiresArg: true, describe: 'The file [BENCH.pcapng, or INTERFACE.pcapng]' })
    .option('filter', { alias: 'f', type: 'string', requiresArg: true, describe: 'What is recorded, as for tcpdump (man pcap-filter)' })
    .option('snaplen', { type: 'number', requiresArg: true, describe: 'Bytes of each packet that are kept [all]' })
    .option('packets', { alias: 'n', type: 'number', requiresArg: true, describe: 'End after so many' })
    .option('for', { type: 'string', requiresArg: true, describe: 'End after so long: 500ms, 10s, 5m, 2h' })
    .option('ring', { type: 'number', requiresArg: true, describe: 'Keep only the newest so many files; with --file-size or --file-time' })
    .option('file-size', { type: 'string', requiresArg: true, describe: 'Begin another file (OUT-00001.pcapng, …) at this size: 100MB, 64MiB' })
    .option('file-time', { type: 'string', requiresArg: true, describe: 'Begin another file after so long' })
    .option('keys', { type: 'string', requiresArg: true, describe: 'A key log that the programs write (--keylog): it goes into the file, which then opens without any setting' })
    .option('json', { type: 'boolean', default: false, describe: 'The result as JSON' })
    .example('$0 record', 'everything of the bench that stands, into fig1.pcapng')
    .example('$0 record 104b --filter \'udp port 1200\'', 'both sides of one router, with its verdicts')
    .example('$0 record --ring 10 --file-size 100MB --file-time 1m', 'the last ten minutes at most, in files of their own')
    .example('$0 record --for 10s --out before.pcapng', 'ten seconds')
    .example('$0 record --interface eth1 --snaplen 96', 'the headers of what passes an interface of this machine'),
  handler: async args => {
    const { names, bench: benchName, interface: own, json } = args
    if (own !== undefined && names.length > 0) throw new UsageError(`record --interface ${own} records no ${names.join(', ')}: give names of a bench, or an interface.`)
    const limits = limitsOf(args), began = performance.now(), status = new StatusLine(process.stderr)
    const note = (text: string): void => void process.stderr.write(`${text}\n`)
    const optionsFor = (name: string): RecordOptions => ({
      ...limits, path: args.out ?? `${name}.pcapng`, signal: stopSignal(),
      ...(args.for === undefined ? {} : { duration: durationOf('for', args.for) }),
      onReady: interfaces => note(`recording ${interfaces.join(', ')}; Ctrl-C ends it`),
      onProgress: ({ packets, bytes, files }) => status.show(`${packets} packets, ${bytesText(bytes)}, ${Math.floor((performance.now() - began) / 1000)} s${files.length > 1 ? `, ${files.length} files` : ''}`),
      onNotice: text => note(`note: ${text}`),
    })
    const bench = own === undefined ? attach(benchName) : null
    try {
      const result = bench === null ? await recordInterface(own ?? '', optionsFor(own ?? '')) : await recordBench(bench, names, optionsFor(bench.name))
      status.clear()
      const { packets, bytes, files, lost, interfaces } = result
      console.log(json ? toJson(result) : [
        `${packets} packets of ${interfaces.length} interfaces, ${bytesText(bytes)}`,
        ...files.map(file => `  ${relative('.', file)}`),
        ...(lost === 0 ? [] : [`  ${lost} frames of routers are missing: they came faster than they could be recorded`]),
      ].join('\n'))
    } catch (error) {
      status.clear()
      throw error
    }
  },
}

/** @throws UsageError for a limit that is none */
function limitsOf(args: RecordArguments): RecordLimits {
  const { filter, snaplen, packets, ring, 'file-size': size, 'file-time': time, keys } = args
  for (const [name, value] of Object.entries({ snaplen, packets, ring })) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) throw new UsageError(`--${name} ${value}: a whole number from 1 on is wanted`)
  }
  if (ring !== undefined && size === undefined && time === undefined) throw new UsageError('--ring keeps the newest of several files: say with --file-size or --file-time when another begins.')
  const fileSize = size === undefined ? undefined : readSize(size)
  if (fileSize === null || fileSize === 0) throw new UsageError(`--file-size ${size}: a size is wanted, such as 100MB, 64MiB or 4096`)
  if (keys !== undefined && !existsSync(keys)) throw new UsageError(`--keys ${keys}: there is no such file. Start the programs with --keylog ${keys} first, or make it empty`)
  return {
    ...(filter === undefined ? {} : { filter }), ...(snaplen === undefined ? {} : { snapLength: snaplen }), ...(packets === undefined ? {} : { packets }),
    ...(ring === undefined ? {} : { files: ring }), ...(fileSize === undefined ? {} : { fileSize }), ...(time === undefined ? {} : { fileTime: durationOf('file-time', time) }),
    ...(keys === undefined ? {} : { keys }),
  }
}

function durationOf(name: string, text: string): number {
  const duration = readDuration(text)
  if (duration === null) throw new UsageError(`--${name} ${text}: a length of time is wanted, such as 500ms, 10s, 5m or 2h`)
  return duration
}
