// The packets of one file, or of two in the order of their times.
import type { InterfacePacket } from '../../captures/pcapng/format.js'
import type { Side } from '../../napt/verdict.js'
import type { Source } from './translate.js'

/** Packets that follow each other, all of one file. */
export interface Run {
  readonly packets: readonly InterfacePacket[]
  /** The file's, where it is of one side. */
  readonly side: Side | null
}

interface Reading {
  readonly side: Side | null
  readonly batches: AsyncGenerator<readonly InterfacePacket[]>
  batch: readonly InterfacePacket[]
  at: number
}

/** Of packets of the same time, those of the first file come first. */
export async function * inOrderOfTime(sources: readonly Source[]): AsyncGenerator<Run, undefined> {
  const readings = sources.map(({ stream, side }): Reading => ({ side, batches: stream.batches(), batch: [], at: 0 }))
  if (readings.length === 1) {
    const [{ batches, side }] = readings
    for await (const packets of batches) yield { packets, side }
    return
  }
  const [a, b] = readings
  while (await hasNext(a) && await hasNext(b)) yield a.batch[a.at].time <= b.batch[b.at].time ? take(a, b.batch[b.at].time) : take(b, a.batch[a.at].time - 1n)
  for (const reading of readings) while (await hasNext(reading)) yield take(reading, null)
}

async function hasNext(reading: Reading): Promise<boolean> {
  while (reading.at === reading.batch.length) {
    const next = await reading.batches.next()
    if (next.done === true) return false
    reading.batch = next.value
    reading.at = 0
  }
  return true
}

/** What is next, up to a time. */
function take(reading: Reading, until: bigint | null): Run {
  const { batch, at, side } = reading
  let end = at + 1
  while (end < batch.length && (until === null || batch[end].time <= until)) end++
  reading.at = end
  return { packets: batch.slice(at, end), side }
}
