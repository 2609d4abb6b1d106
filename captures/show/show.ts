// A capture file in text, packet by packet: a line each, with all fields below it, or as JSON. Pieces of text come as they are
// ready, so that whoever writes them sets the pace; what is held is one batch of the file and the text of one piece.
import type { CaptureStream } from '../files/capture-stream.js'
import type { PacketFilter } from '../filter/index.js'
import type { PacketBatch } from '../files/packet-batch.js'
import { Columns, type ShownTime } from './columns.js'
import { detailLines } from './details-text.js'
import { ALL_FRAMES, type Frames } from './frames.js'
import { Hosts } from './hosts.js'
import { LineBuffer } from './line-buffer.js'
import { PacketNamer, type ShownKeys } from './naming.js'
import { packetToJson } from './packet-json.js'
import { packetWords, verdictWords, type Paint } from './packet-line.js'
import { PacketLook } from './packet-look.js'
import { writePlain } from './plain-line.js'

export interface ShowOptions {
  /** `lines` unless given; `details`: each line with the packet's fields below it. */
  readonly form?: 'lines' | 'details' | 'json' | 'json-details'
  readonly time?: ShownTime
  readonly filter?: PacketFilter | null
  readonly frames?: Frames
  /** Ends after so many packets. */
  readonly count?: number
  /** Addresses in digits, whatever names the file has. */
  readonly isNumeric?: boolean
  /** Opens TLS connections. */
  readonly keys: ShownKeys
  readonly paint?: Paint
  /** Looks at each packet in full; the text is the same, and takes longer. */
  readonly isSlow?: boolean
}

/** Bytes of text that are given at a time. */
const PIECE = 128 << 10
const NEWLINE = 10

/** Pieces of UTF-8, each whole lines. Where the file is damaged it ends, and the stream's `damage` says so. @throws CaptureFileError when it is no capture */
export async function * show(stream: CaptureStream, options: ShowOptions): AsyncGenerator<Uint8Array> {
  const { filter = null, frames = ALL_FRAMES, count = Infinity } = options
  const namer = new PacketNamer(options.keys, stream.names), look = new PacketLook(namer)
  const columns = new Columns(options.time ?? 'relative', stream.interfaces)
  const writer = new PacketWriter(look, columns, new Hosts(options.isNumeric === true ? new Map() : stream.names), options)
  const { out } = writer
  let shown = 0
  for await (const batch of stream.columns()) {
    for (let i = 0; i < batch.count; i++) {
      const number = batch.firstNumber + i
      if (shown >= count || number > frames.last) break
      columns.see(batch, i)
      look.loadFrom(batch, i)
      if (!frames.has(number) || filter?.matches(look) === false) continue
      writer.write(batch, i)
      shown++
      if (out.length >= PIECE) yield out.take()
    }
    if (out.length > 0) yield out.take()
    if (shown >= count || batch.firstNumber + batch.count > frames.last) return
  }
}

class PacketWriter {
  readonly out = new LineBuffer()
  readonly #look: PacketLook
  readonly #columns: Columns
  readonly #hosts: Hosts
  readonly #form: NonNullable<ShowOptions['form']>
  readonly #isSlow: boolean
  readonly #paint: Paint

  constructor(look: PacketLook, columns: Columns, hosts: Hosts, { form = 'lines', isSlow = false, paint = text => text }: ShowOptions) {
    this.#look = look
    this.#columns = columns
    this.#hosts = hosts
    this.#form = form
    this.#isSlow = isSlow
    this.#paint = paint
  }

  /** The packet that was looked at. */
  write(batch: PacketBatch, i: number): void {
    if (this.#form === 'json' || this.#form === 'json-details') {
      this.out.text(packetToJson(this.#look, this.#columns.relative(batch.time(i)), this.#hosts, this.#form === 'json-details'))
    } else {
      this.#columns.write(batch, i, this.out)
      if (this.#form === 'details') this.#writeDetails()
      else if (this.#isSlow || !writePlain(this.#look, this.#hosts, this.out)) this.out.text(this.#words())
    }
    this.out.reserve(1)
    this.out.bytes[this.out.length++] = NEWLINE
  }

  #words(): string {
    const { decoded, name, verdict } = this.#look
    return packetWords(decoded, name, this.#hosts) + verdictWords(verdict, this.#paint)
  }

  #writeDetails(): void {
    this.out.text([this.#words(), ...detailLines(this.#look, this.#hosts, this.#paint)].join('\n'))
  }
}
