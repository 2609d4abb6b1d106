// `naptlab show FILE --ladder`: a capture as a sequence diagram, on the terminal or as a file.
import { basename } from 'node:path'
import type { Argv } from 'yargs'
import { CaptureStream, decodePayload, figureLayouts, FIG2_CONNECTIONS, ladderOfStream, ladderOfStreams, ladderToMermaid, ladderToSvg, ladderToText, type ConnectionName, type InterfacePacket, type KeySource, type Ladder } from '../captures/index.js'
import { writeWhole } from '../lab/write-whole.js'
import { UsageError } from './errors.js'
import { ReadingProgress } from './reading-progress.js'
import { hasColour } from './terminal.js'

const FORMS = ['text', 'mermaid', 'svg'] as const
type Form = typeof FORMS[number]
/** Columns, where the output is no terminal. */
const PLAIN_WIDTH = 120

export interface LadderArguments {
  readonly ladder: string | undefined
  readonly output: string | undefined
  readonly title: string | undefined
  readonly with: readonly string[]
  readonly max: number | undefined
  readonly lanes: number | undefined
  readonly all: boolean
  readonly 'frames-shown': boolean
}

/** The options of `show` that make a ladder of it. */
export const ladderOptions = <T>(yargs: Argv<T>): Argv<T & LadderArguments> => yargs
  .option('ladder', { type: 'string', describe: `A sequence diagram, in which a NAT has a lane of its own: ${FORMS.join(', ')} [text]` })
  .option('output', { alias: 'o', type: 'string', requiresArg: true, describe: 'With --ladder: write the diagram to this file; .svg and .mmd say its form' })
  .option('title', { type: 'string', requiresArg: true, describe: 'With --ladder: what stands above it [the file and the filter]' })
  .option('with', { type: 'string', array: true, nargs: 1, default: [] as readonly string[], requiresArg: true, describe: 'With --ladder: another capture of the same time, such as of the other side of a NAT; may be repeated' })
  .option('max', { type: 'number', requiresArg: true, describe: 'With --ladder: lines, repeats folded [300]' })
  .option('lanes', { type: 'number', requiresArg: true, describe: 'With --ladder: hosts that get a lane; who says least shares one [8]' })
  .option('all', { type: 'boolean', default: false, describe: 'With --ladder: acknowledgements and the rest of handshakes too, and nothing folded' })
  .option('frames-shown', { type: 'boolean', default: false, describe: 'With --ladder: the numbers of frames too' })

/** Only with --ladder. */
const OWN = ['output', 'title', 'with', 'max', 'lanes', 'all', 'frames-shown'] as const

/** What form of ladder is asked for; null when none is. @throws UsageError */
export function ladderForm(args: LadderArguments): Form | null {
  const { ladder, output = '' } = args
  if (ladder === undefined) {
    const stray = OWN.find(name => Array.isArray(args[name]) ? args[name].length > 0 : args[name] !== undefined && args[name] !== false)
    if (stray !== undefined) throw new UsageError(`--${stray} belongs to a ladder; give --ladder too.`)
    return null
  }
  const form = ladder !== '' ? ladder : output.endsWith('.svg') ? 'svg' : output.endsWith('.mmd') ? 'mermaid' : 'text'
  const known = FORMS.find(each => each === form)
  if (known === undefined) throw new UsageError(`--ladder ${ladder}: that is no form of a ladder (${FORMS.join(', ')}); in front of a file or a filter write --ladder=text.`)
  for (const name of ['max', 'lanes'] as const) {
    const value = args[name]
    if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= 100_000)) throw new UsageError(`--${name}: '${value}' is not a number from 1 to 100000`)
  }
  return known
}

export interface LadderOf {
  readonly stream: CaptureStream
  /** Of the selection, for the title. */
  readonly filter: string
  readonly select: ((packet: InterfacePacket) => boolean) | null
  readonly keys: KeySource | null
}

/**
 * Draws the ladder and prints it, or writes it to a file. Damage is told on standard error, and makes the exit code 1.
 * @throws CaptureFileError when a file is no capture; UsageError when the picture cannot be written
 */
export async function showLadder(form: Form, args: LadderArguments, { stream, filter, select, keys }: LadderOf): Promise<void> {
  const streams = [stream]
  for (const path of args.with) streams.push(await CaptureStream.open(path))
  const progress = new ReadingProgress(stream), relayed = await relayedConnections()
  const options = {
    title: args.title ?? [...streams.map(each => basename(each.file)), ...filter === '' ? [] : [filter]].join(' · '), decoder: decodePayload, figures: figureLayouts(), detail: args.all,
    connections: (names: ReadonlySet<string>) => names.has('101') || names.has('102') || !names.has('11') ? FIG2_CONNECTIONS : relayed, onProgress: () => { progress.update() },
    ...select === null ? {} : { select }, ...keys === null ? {} : { keys }, ...args.max === undefined ? {} : { most: args.max }, ...args.lanes === undefined ? {} : { mostLanes: args.lanes },
  }
  const ladder = streams.length === 1 ? await ladderOfStream(stream, options) : await ladderOfStreams(streams, options)
  progress.end()
  give(drawn(form, ladder, args), args.output)
  for (const { damage } of streams) {
    if (damage === null) continue
    process.stderr.write(`${damage.message}\n`)
    process.exitCode = 1
  }
}

/** Those of the prior art, whose server is 11. */
const relayedConnections = async (): Promise<readonly ConnectionName[]> => (await import('../lab/systems/relayed.js')).RELAY_CONNECTIONS

function drawn(form: Form, ladder: Ladder, { all, output, 'frames-shown': frames }: LadderArguments): string {
  switch (form) {
    case 'mermaid': return ladderToMermaid(ladder, { detail: all, frames })
    case 'svg': return ladderToSvg(ladder, { detail: all, frames, subtitle: startOf(ladder) })
    case 'text': {
      const isScreen = output === undefined && process.stdout.isTTY
      return ladderToText(ladder, { width: isScreen ? process.stdout.columns : PLAIN_WIDTH, colour: isScreen && hasColour(), detail: all, frames })
    }
  }
}

/** As in `2026-11-21 17:02:03 UTC`; empty for a ladder of nothing. */
function startOf({ entries }: Ladder): string {
  const first = entries.at(0)
  return first === undefined ? '' : `${new Date(Number(first.time / 1_000_000n)).toISOString().replace('T', ' ').slice(0, 19)} UTC`
}

function give(text: string, output: string | undefined): void {
  if (output === undefined) {
    process.stdout.write(text)
    return
  }
  try {
    writeWhole(output, text)
  } catch (error) {
    throw new UsageError(`${output} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
