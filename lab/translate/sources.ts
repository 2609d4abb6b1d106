// The capture files that are put through a router: opened, each with its beginning read, and their packets in the order of time.
import { CaptureStream } from '../../captures/files/capture-stream.js'
import { CHUNK, CHUNKS_IN_TURN } from '../../captures/files/file-chunks.js'
import { PacketBatch } from '../../captures/files/packet-batch.js'
import type { Side } from '../../napt/verdict.js'
import { Frame } from './frame.js'

/** One file whose packets tell their sides, or a file for each side, of which one may be missing. */
export type TranslateInput = { readonly file: string } | { readonly lan?: string, readonly wan?: string }

/** Packets that follow each other, all of one file: those of the batch from one place to another. Valid until the next is asked for. */
export interface Run {
  readonly batch: PacketBatch
  readonly from: number
  readonly to: number
  /** The file's, where it is of one side. */
  readonly side: Side | null
}

export class Source {
  readonly stream: CaptureStream
  readonly side: Side | null
  readonly #batches: AsyncGenerator<PacketBatch, undefined>
  batch: PacketBatch
  at = 0

  private constructor(stream: CaptureStream, side: Side | null, batches: AsyncGenerator<PacketBatch, undefined>, first: PacketBatch) {
    this.stream = stream
    this.side = side
    this.#batches = batches
    this.batch = first
  }

  /** @param memory that the file is read into, in turn. @throws CaptureFileError when it cannot be read or is no capture */
  static async open(path: string, side: Side | null, memory: readonly Uint8Array[]): Promise<Source> {
    const stream = await CaptureStream.open(path, memory), batches = stream.columns(), first = await batches.next()
    return new Source(stream, side, batches, first.done === true ? new PacketBatch(stream.interfaces) : first.value)
  }

  /** What shows who is around, before the first packet needs to know: the frames of the first batch, until there is another. The same object every time. */
  * beginning(): Generator<Frame, undefined> {
    const frame = new Frame()
    for (let i = 0; i < this.batch.count; i++) {
      frame.load(this.batch, i, this.side)
      yield frame
    }
  }

  /** False at the end; else packet `at` of `batch` is the next one. */
  async hasNext(): Promise<boolean> {
    while (this.at === this.batch.count) {
      const next = await this.#batches.next()
      if (next.done === true) return false
      this.batch = next.value
      this.at = 0
    }
    return true
  }

  /** What is left of the batch, up to a time. */
  take(until: bigint | null): Run {
    const { batch, at: from, side } = this
    let to = until === null ? batch.count : from + 1
    while (until !== null && to < batch.count && batch.time(to) <= until) to++
    this.at = to
    return { batch, from, to, side }
  }

  async close(): Promise<void> { await this.#batches.return(undefined) }
}

/** @param lend gives memory, of so many bytes, to read into. @throws CaptureFileError when one cannot be read or is no capture */
export async function openSources(input: TranslateInput, lend: (length: number) => Uint8Array): Promise<Source[]> {
  const memory = (): Uint8Array[] => Array.from({ length: CHUNKS_IN_TURN }, () => lend(CHUNK))
  if ('file' in input) return [await Source.open(input.file, null, memory())]
  const sources: Source[] = []
  for (const side of ['lan', 'wan'] as const) {
    const file = input[side]
    if (file !== undefined) sources.push(await Source.open(file, side, memory()))
  }
  return sources
}

/** Of packets of the same time, those of the first file come first. */
export async function * inOrderOfTime(sources: readonly Source[]): AsyncGenerator<Run, undefined> {
  const [first] = sources, second = sources.at(1)
  if (second !== undefined) {
    while (await first.hasNext() && await second.hasNext()) {
      const a = first.batch.time(first.at), b = second.batch.time(second.at)
      yield a <= b ? first.take(b) : second.take(a - 1n)
    }
    while (await second.hasNext()) yield second.take(null)
  }
  while (await first.hasNext()) yield first.take(null)
}
