// naptlab explain: what a router did to one packet of a capture file. Exit 0 when it can be told, 1 when no router saw the packet, 2 for wrong usage.
import type { CommandModule } from 'yargs'
import { KEY_LOG_FILE } from '../../captures/tls/key-log.js'
import { explainByNat, explainFrame } from '../../lab/explain/explain-frame.js'
import { natNamed } from '../../lab/read-nat.js'
import { UsageError } from '../errors.js'
import { explanationData, explanationLines } from '../explain-text.js'
import { toJson } from '../json.js'
import { keyLogFor } from '../key-log-for.js'
import { routerOptions, routerOptionsOf, type RouterArguments } from '../translate-options.js'

interface ExplainArguments extends RouterArguments {
  readonly file: string
  readonly frame: string
  readonly nat: string | undefined
  readonly keys: string | undefined
  readonly verbose: boolean
  readonly json: boolean
}

export const explainCommand: CommandModule<object, ExplainArguments> = {
  command: 'explain <file> <frame>',
  describe: 'What a router did to a packet of a capture file, and why: mapping, filter, timer, rule; before and after',
  builder: yargs => routerOptions(yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'A capture of ours, or any other' })
    .positional('frame', { type: 'string', demandOption: true, describe: 'The frame\'s number, as show and Wireshark count: from 1' })
    .option('nat', { type: 'string', requiresArg: true, describe: 'What this NAT would do: a preset (naptlab nat list) or a YAML file; the file is put through it as by translate' })
    .option('keys', { type: 'string', requiresArg: true, describe: `Key log that opens TLS connections (default: the file's own, or ${KEY_LOG_FILE} beside it)` })
    .option('verbose', { alias: 'v', type: 'boolean', default: false, describe: 'The fields too that stayed as they were' })
    .option('json', { type: 'boolean', default: false, describe: 'As JSON' }))
    .example('$0 explain out/fig2/fig2.pcapng 17', 'why it was dropped, or what was made of it')
    .example('$0 explain client.pcap 3 --nat symmetric', 'what a symmetric NAT would make of it'),
  handler: async args => {
    const frame = frameNumber(args.frame), keys = keyLogFor(args.file, args.keys)
    const explanation = args.nat === undefined
      ? await explainFrame(args.file, frame, keys)
      : await explainByNat(args.file, frame, { ...routerOptionsOf(args), nat: natNamed(args.nat) }, keys)
    console.log(args.json ? toJson(explanationData(explanation)) : explanationLines(explanation, args.verbose).join('\n'))
    process.exitCode = explanation.passages.length > 0 ? 0 : 1
  },
}

function frameNumber(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < 1) throw new UsageError(`'${text}' is no frame number (a whole number from 1)`)
  return number
}
