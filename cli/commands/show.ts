// naptlab show: a capture file in words, one line a packet.
import { once } from 'node:events'
import type { CommandModule } from 'yargs'
import { CaptureStream } from '../../captures/files/capture-stream.js'
import type { InterfacePacket } from '../../captures/files/pcapng/format.js'
import { parseFilter } from '../../captures/filter/index.js'
import { TIMES, type ShownTime } from '../../captures/show/columns.js'
import { parseFrames } from '../../captures/show/frames.js'
import type { Paint } from '../../captures/show/packet-line.js'
import { PacketNamer } from '../../captures/show/naming.js'
import { PacketLook } from '../../captures/show/packet-look.js'
import { show, type ShowOptions } from '../../captures/show/show.js'
import { StreamKeys } from '../../captures/show/stream-keys.js'
import { KEY_LOG_FILE } from '../../captures/tls/key-log.js'
import { DROP_REASON_NAMES } from '../../napt/verdict.js'
import { UsageError } from '../errors.js'
import { keyLogFor } from '../key-log-for.js'
import { ladderForm, ladderOptions, showLadder, type LadderArguments } from '../ladder-options.js'
import { ReadingProgress } from '../reading-progress.js'
import { coloured, hasColour } from '../terminal.js'

interface ShowArguments extends LadderArguments {
  readonly file: string
  readonly filter: readonly string[]
  readonly time: ShownTime
  readonly numeric: boolean
  readonly verbose: boolean
  readonly json: boolean
  readonly frames: string | undefined
  readonly count: number | undefined
  readonly keys: string | undefined
}

export const showCommand: CommandModule<object, ShowArguments> = {
  command: 'show <file> [filter..]',
  describe: 'Show a capture file, one line a packet, by the names of the documents',
  builder: yargs => ladderOptions(yargs)
    .positional('file', { type: 'string', demandOption: true, describe: 'pcapng or pcap; - for standard input' })
    .positional('filter', { type: 'string', array: true, default: [], describe: 'Only packets of which this holds, in the words of tcpdump and more: docs/show.md' })
    .option('time', { choices: TIMES, default: 'relative' as const, describe: 'Milliseconds since the first packet, or since the line before; or date and time, UTC' })
    .option('numeric', { alias: 'n', type: 'boolean', default: false, describe: 'Addresses, not the names that the file has for them' })
    .option('verbose', { alias: 'v', type: 'boolean', default: false, describe: 'All fields of each layer with their bytes, and the whole comment' })
    .option('json', { type: 'boolean', default: false, describe: 'One JSON object a packet; with -v, its fields too' })
    .option('frames', { type: 'string', requiresArg: true, describe: 'Only these, by their numbers: 10-20,35' })
    .option('count', { alias: 'c', type: 'number', requiresArg: true, describe: 'End after so many packets' })
    .option('keys', { type: 'string', requiresArg: true, describe: `Key log that opens TLS connections (default: the file's own, or ${KEY_LOG_FILE} beside it)` })
    .example('$0 show out/fig2/fig2.pcapng', 'every packet on every interface, and what the routers did with it')
    .example('$0 show fig2.pcapng dropped', 'what was dropped, and why; `dropped filtered` for one reason')
    .example("$0 show fig2.pcapng 'udp port 1200 and not interface 101'", 'the filter words of tcpdump, and ours')
    .example('$0 show fig2.pcapng -v --frames 12', 'one packet, field by field, with its bytes')
    .example('$0 show fig2.pcapng packet 217 --json', 'for machines')
    .example('$0 show fig2.pcapng --ladder', 'a sequence diagram on the terminal: what each NAT changed, and where packets ended')
    .example('$0 show out/fig2/fig2.pcapng --ladder -o fig2.svg', 'the same as a picture; .mmd for Mermaid')
    .example('$0 show lan.pcap --with wan.pcap --ladder', 'the two sides of any NAT, as tcpdump wrote them: one line a packet'),
  async handler(args) {
    const { file: given, filter: words, time, numeric, verbose, json, frames, count, keys } = args
    const form = ladderForm(args)
    if (form !== null && (json || verbose || count !== undefined)) throw new UsageError('--ladder is a form of its own; leave --json, -v and --count out (--max bounds its lines).')
    if (count !== undefined && !(Number.isInteger(count) && count >= 1)) throw new UsageError(`--count: '${count}' is not a number of packets, from 1`)
    const file = given === '' ? '-' : given // yargs leaves nothing of a lone dash
    if (file === '-' && process.stdin.isTTY) throw new UsageError('standard input is a terminal: give a file, or pipe a capture into it')
    const meant = frames === undefined ? undefined : parseFrames(frames)
    const text = words.join(' ')
    // Before the file is opened, so that a wrong filter is told at once.
    const reasons = DROP_REASON_NAMES
    if (text.trim() !== '') parseFilter(text, { reasons })
    const stream = await CaptureStream.open(file)
    const filter = text.trim() === '' ? null : parseFilter(text, { names: stream.names, reasons })
    if (form !== null) {
      const beside = keyLogFor(file, keys), look = new PacketLook(new PacketNamer(new StreamKeys(stream, beside), stream.names))
      const select = filter === null && meant === undefined ? null : (packet: InterfacePacket): boolean => {
        look.load(packet)
        return meant?.has(packet.number) !== false && filter?.matches(look) !== false
      }
      await showLadder(form, args, { stream, filter: text.trim(), select, keys: beside })
      return
    }
    const options: ShowOptions = {
      form: json ? (verbose ? 'json-details' : 'json') : verbose ? 'details' : 'lines',
      time, isNumeric: numeric, filter, keys: new StreamKeys(stream, keyLogFor(file, keys)),
      ...(meant === undefined ? {} : { frames: meant }), ...(count === undefined ? {} : { count }), ...(hasColour() ? { paint } : {}),
    }
    const progress = new ReadingProgress(stream)
    for await (const piece of show(stream, options)) {
      progress.update()
      if (!process.stdout.write(piece)) await once(process.stdout, 'drain')
    }
    progress.end()
    const unknown = filter?.hosts.filter(host => ![...stream.names.values()].includes(host)) ?? []
    if (unknown.length > 0) process.stderr.write(`${file}: no address is called ${unknown.join(' or ')} in this file\n`)
    if (stream.damage === null) return
    process.stderr.write(`${stream.damage.message}\n`)
    process.exitCode = 1
  },
}

const paint: Paint = (text, style) => style === 'plain' ? text : coloured(text, style)
