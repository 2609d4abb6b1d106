// naptlab emit: one packet of Figs. 7 and 8, sent for real or written to a file.
import type { CommandModule } from 'yargs'
import { FIGURES, summarize, decode, decodePayload, type FigureName } from '../../captures/index.js'
import { emitFrom, emitOnOwnBench, emitToFile, type EmitOptions, type EmitResult } from '../../lab/emit/emit.js'
import { attach } from '../../lab/bench/open.js'
import { wallTime } from '../../napt/clock.js'
import { readPassword } from '../options.js'

interface EmitArguments {
  readonly figure: FigureName
  readonly run: 'fig2' | 'fig8b'
  readonly out: string | undefined
  readonly host: string | undefined
  readonly bench: string | undefined
  readonly 'password-file': string | undefined
  readonly json: boolean
}

/** What the packets carry unless a file names another. */
const DEMONSTRATION_PASSWORD = 'open sesame 2133'

export const emitCommand: CommandModule<object, EmitArguments> = {
  command: 'emit <figure>',
  describe: 'Send one packet of Figs. 7 and 8 with raw-socket, or write it to a capture file',
  builder: yargs => yargs
    .positional('figure', { choices: FIGURES, demandOption: true, describe: 'The packet, by its figure' })
    .option('run', { choices: ['fig2', 'fig8b'] as const, default: 'fig2' as const, describe: 'Fig. 8B and its mapping with port 3400 (fig2) or 2400 (fig8b)' })
    .option('out', { type: 'string', describe: 'Capture file to write instead; needs no privileges and no bench' })
    .option('host', { type: 'string', describe: 'Send it from this host of a standing bench instead of on a bench of two made for it' })
    .option('bench', { type: 'string', describe: 'Name of that bench, when several stand' })
    .option('password-file', { type: 'string', describe: 'File with the password that 217 and 226 carry' })
    .option('json', { type: 'boolean', default: false, describe: 'The result as JSON' })
    .conflicts('out', 'host')
    .example('$0 emit 7A', 'sends it between two hosts made for it, and checks what arrives')
    .example('$0 emit 8D --out 8d.pcap', 'the packet as a file')
    .example('$0 emit 7A --host 103', 'from 103 of the standing bench, through router 104b'),
  handler: async ({ figure, run, out, host, bench, 'password-file': passwordFile, json }) => {
    const options: EmitOptions = { figure, run, password: passwordFile === undefined ? DEMONSTRATION_PASSWORD : readPassword(passwordFile, {}) }
    if (out !== undefined) {
      emitToFile(out, options, wallTime())
      console.log(json ? JSON.stringify({ figure, file: out }) : `Fig. ${figure} is in ${out}`)
    } else if (host !== undefined) {
      const bytes = await emitFrom(attach(bench), host, options)
      console.log(json ? JSON.stringify({ figure, host, bytes }) : `Fig. ${figure}: ${bytes} bytes sent from ${host}`)
    } else {
      report(await emitOnOwnBench(options), json)
    }
  },
}

function report({ layout, received, checks }: EmitResult, json: boolean): void {
  const ok = checks.every(check => check.ok)
  process.exitCode = ok ? 0 : 1
  if (json) {
    console.log(JSON.stringify({ figure: layout.figure, ok, checks, frame: Buffer.from(received).toString('hex') }, null, 2))
    return
  }
  console.log(`Fig. ${layout.figure}  ${summarize(decode(received), decodePayload)}`)
  for (const { field, wanted, got, ok: holds } of checks) console.log(`  ${holds ? '✓' : '✗'} ${field}: ${got}${holds ? '' : `, wanted ${wanted}`}`)
}
