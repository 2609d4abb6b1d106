// The capture files that are put through a router: opened, each with its beginning read, and their packets in the order of time.
import { CaptureStream } from '../../captures/capture-stream.js'
import type { InterfacePacket } from '../../captures/pcapng/format.js'
import type { Side } from '../../napt/verdict.js'
import { asEthernet } from './as-ethernet.js'

/** One file whose packets tell their sides, or a file for each side, of which one may be missing. */
export type TranslateInput = { readonly file: string } | { readonly lan?: string, readonly wan?: string }

/** Packets that follow each other, all of one file. */
export interface Run {
  readonly packets: readonly InterfacePacket[]
  /** The file's, where it is of one side. */
  readonly side: Side | null
}

export class Source {
  readonly stream: CaptureStream
  readonly side: Side | null
  /** What shows who is around, before the first packet needs to know. */
  readonly beginning: readonly InterfacePacket[]
  readonly #batches: AsyncGenerator<readonly InterfacePacket[]>
  batch: readonly InterfacePacket[]
  at = 0

  private constructor(stream: CaptureStream, side: Side | null, batches: AsyncGenerator<readonly InterfacePacket[]>, first: readonly InterfacePacket[]) {
    this.stream = stream
    this.side = side
    this.#batches = batches
    this.beginning = this.batch = first
  }

  /** @throws CaptureFileError when it cannot be read or is no capture */
  static async open(path: string, side: Side | null): Promise<Source> {
    const stream = await CaptureStream.open(path), batches = stream.batches(), first = await batches.next()
    return new Source(stream, side, batches, first.done === true ? [] : first.value.map(asEthernet))
  }

  /** False at the end; else `batch[at]` is the next packet. */
  async hasNext(): Promise<boolean> {
    while (this.at === this.batch.length) {
      const next = await this.#batches.next()
      if (next.done === true) return false
      this.batch = next.value.map(asEthernet)
      this.at = 0
    }
    return true
  }

  /** What is left of the batch, up to a time. */
  take(until: bigint | null): Run {
    const { batch, at, side } = this
    let end = until === null ? batch.length : at + 1
    while (until !== null && end < batch.length && batch[end].time <= until) end++
    this.at = end
    return { packets: at === 0 && end === batch.length ? batch : batch.slice(at, end), side }
  }

  async close(): Promise<void> { await this.#batches.return(undefined) }
}

/** @throws CaptureFileError when one cannot be read or is no capture */
export async function openSources(input: TranslateInput): Promise<Source[]> {
  if ('file' in input) return [await Source.open(input.file, null)]
  const sources: Source[] = []
  for (const side of ['lan', 'wan'] as const) {
    const file = input[side]
    if (file !== undefined) sources.push(await Source.open(file, side))
  }
  return sources
}

/** Of packets of the same time, those of the first file come first. */
export async function * inOrderOfTime(sources: readonly Source[]): AsyncGenerator<Run, undefined> {
  const [first] = sources, second = sources.at(1)
  if (second !== undefined) {
    while (await first.hasNext() && await second.hasNext()) {
      const a = first.batch[first.at].time, b = second.batch[second.at].time
      yield a <= b ? first.take(b) : second.take(a - 1n)
    }
    while (await second.hasNext()) yield second.take(null)
  }
  while (await first.hasNext()) yield first.take(null)
}
