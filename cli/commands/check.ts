// `naptlab check FILE…`: what holds for capture files. Exit 0 when all does, 1 when something does not, 2 for wrong usage.
import type { CommandModule } from 'yargs'
import { UsageError } from '../errors.js'
import { toJson } from '../json.js'
import { CaptureSource, checkCapture, checkFiles, decodePayload, formatCheck, formatFileCheck, nameInterfaces, readCheckFile } from '../../captures/index.js'

interface CheckArguments {
  readonly files: readonly string[]
  readonly as: readonly string[]
  readonly figures: boolean
  readonly run: 'fig2' | 'fig8b'
  readonly golden: string | undefined
  readonly check: string | undefined
  readonly keys: string | undefined
  readonly json: boolean
}

export const checkCommand: CommandModule<object, CheckArguments> = {
  command: 'check [files..]',
  describe: 'Check capture files: whole, checksums right, and as the figures or a golden say',
  builder: yargs => yargs
    .positional('files', { type: 'string', array: true, default: [], describe: 'Captures: pcapng, which names its interfaces itself, or pcap by the name of its interface (104a-lan.pcap, 101.pcap …)' })
    .option('as', { type: 'string', array: true, default: [], requiresArg: true, describe: 'A file with another name, as INTERFACE=FILE' })
    .option('figures', { type: 'boolean', default: false, describe: 'Check the packet layouts of Figs. 7 and 8' })
    .option('run', { choices: ['fig2', 'fig8b'] as const, default: 'fig2' as const, describe: 'The run whose layouts hold: Fig. 8B with port 3400 (fig2) or 2400 (fig8b)' })
    .option('golden', { type: 'string', requiresArg: true, describe: 'Compare with this golden, by its name or its file' })
    .option('check', { type: 'string', requiresArg: true, conflicts: 'golden', describe: 'A check file: which packets there must be, and which of their fields matter' })
    .option('keys', { type: 'string', requiresArg: true, describe: 'The key log that opens TLS connections (default: those in the captures, and keys.log beside them)' })
    .option('json', { type: 'boolean', default: false, describe: 'The report as JSON' })
    .example('$0 check out/fig2/fig2.pcapng --figures', 'the eight layouts in the capture of a run')
    .example('$0 check --as 104b-wan=wan.pcap --golden fig2', 'one capture against the golden of the standard run')
    .example('$0 check run.pcapng --check checks/nat.yaml', 'your own protocol, by a check file (docs/checks.md)'),
  async handler({ files, as, figures, run, golden, check, keys, json }) {
    if (check !== undefined) {
      if (figures) throw new UsageError('--check and --figures are two checks: run them one after the other.')
      const report = await checkCapture(await readCheckFile(check), new CaptureSource(nameInterfaces(files, as).map(({ interface: shown, path }) => ({ path, as: shown }))), decodePayload)
      console.log(json ? toJson(report) : formatCheck(report).join('\n'))
      process.exitCode = report.ok ? 0 : 1
      return
    }
    const report = await checkFiles(nameInterfaces(files, as), { decoder: decodePayload, ...(figures ? { figures: run } : {}), ...(golden === undefined ? {} : { golden }), ...(keys === undefined ? {} : { keys }) })
    console.log(json ? toJson(report) : formatFileCheck(report).join('\n'))
    process.exitCode = report.ok ? 0 : 1
  },
}
