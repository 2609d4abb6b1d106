// Trace records: into a ring and out again, in this thread and as another one reads them; what happens when the ring is full; the same
// over the control socket.
import t, { type Test } from 'tap'
import { timeOfStamp, wallTime } from '../../napt/clock.js'
import { eventToRecord, recordToEvent } from '../../napt/control/frame-event.js'
import { EXPLANATION_BYTES, HEAD, HEADER_BYTES } from '../../napt/trace/trace-layout.js'
import { TraceReader } from '../../napt/trace/trace-reader.js'
import { NO_FRAME, TraceRing } from '../../napt/trace/trace-ring.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import { DROP_REASON_NAMES, type Side } from '../../napt/verdict.js'
import { RouterClock } from '../../napt/clock.js'
import { udp } from './frames.js'
import { Random } from './random.js'

/** A record as plain values, so that it does not matter what kind of array a frame is. */
const plain = ({ received, sent, ...rest }: TraceRecord): object => ({
  ...rest,
  ...(received === undefined ? {} : { received: [received.side, Buffer.from(received.frame).toString('hex')] }),
  ...(sent === undefined ? {} : { sent: [sent.side, Buffer.from(sent.frame).toString('hex')] }),
})

const SECOND = 1_000_000_000n

/** Writes a record as the data plane does. False where there was no room. */
function add(ring: TraceRing, { time, action, reason, waited, received, sent }: TraceRecord): boolean {
  const frame = received === undefined ? null : Buffer.concat([Buffer.alloc(5), received.frame, Buffer.alloc(3)]) // somewhere in a batch
  const source = frame === null ? NO_FRAME : new DataView(frame.buffer, frame.byteOffset, frame.length)
  if (frame === null) ring.open(source, 0, 0, false)
  else ring.open(source, 5, 5 + (received?.frame.length ?? 0), false)
  const wentOn = action === 'forward' && sent !== undefined && frame !== null
  if (wentOn) frame.set(sent.frame, 5)
  return ring.close(action, reason ?? null, waited === true, received?.side ?? null, sent?.side ?? null, wentOn ? null : sent?.frame ?? null, Int32Array.of(Number(time / SECOND), Number(time % SECOND)))
}

/** Of a frame that goes on, nothing behind the first HEAD bytes changes. */
const FRAME = Uint8Array.of(1, 2, 3), OTHER = Uint8Array.of(4, 5, 6)
const RECORDS: readonly TraceRecord[] = [
  { time: 1n, action: 'forward', received: { side: 'lan', frame: FRAME }, sent: { side: 'wan', frame: OTHER } },
  { time: 1_700_000_000_123_456_789n, action: 'answer', received: { side: 'wan', frame: FRAME }, sent: { side: 'wan', frame: Uint8Array.of(7, 8) } },
  { time: 2n, action: 'answer', received: { side: 'lan', frame: FRAME } },
  { time: 3n, action: 'originate', sent: { side: 'lan', frame: OTHER } },
  { time: 3n, action: 'hold', received: { side: 'lan', frame: FRAME } },
  { time: 4n, action: 'forward', waited: true, received: { side: 'lan', frame: FRAME }, sent: { side: 'wan', frame: OTHER } },
  { time: 4n, action: 'drop', reason: 'truncated', received: { side: 'lan', frame: new Uint8Array(0) } },
  ...DROP_REASON_NAMES.map(reason => ({ time: 5n, action: 'drop', reason, received: { side: 'wan', frame: FRAME } } as const)),
]

/** All that a reader finds. */
function take(reader: TraceReader): TraceRecord[] {
  const records: TraceRecord[] = []
  while (reader.next()) records.push(reader.record.record())
  return records
}

t.test('what goes in comes out, in order', async t => {
  const ring = new TraceRing(1 << 16)
  t.ok(ring.isEmpty)
  for (const record of RECORDS) t.ok(add(ring, record))
  t.notOk(ring.isEmpty)
  t.same(ring.unpublished().map(plain), RECORDS.map(plain))
  t.same(ring.unpublished().map(plain), RECORDS.map(plain), 'looking changes nothing')
  ring.clear()
  t.ok(ring.isEmpty, 'clearing begins anew')
  t.same(ring.unpublished(), [])
})

t.test('frames of a record are its own', async t => {
  const ring = new TraceRing(1 << 12)
  add(ring, RECORDS[0])
  const records = ring.unpublished()
  ring.clear()
  add(ring, RECORDS[3])
  t.same(records.map(plain), [plain(RECORDS[0])])
})

t.test('records that do not fit are refused, those that do still come', async t => {
  const record = (length: number): TraceRecord => ({ time: 1n, action: 'drop', reason: 'protocol', received: { side: 'lan', frame: new Uint8Array(length) } })
  // Two segments of 504 bytes and a filler. A record that is begun needs room for all that it may become: an explanation, and the head
  // of the frame as it goes on; it takes what it became.
  const ring = new TraceRing(1024), room = (length: number): number => HEADER_BYTES + length + EXPLANATION_BYTES + Math.min(length, HEAD)
  t.same([160, 104, 40].map(room), [424, 312, 184])
  const LENGTHS = [160, 250, 160, 160, 104, 40, 24]
  t.same(LENGTHS.map(length => add(ring, record(length))), [true, false, true, false, true, false, true])
  t.same(ring.unpublished().map(({ received }) => received?.frame.length), [160, 160, 104, 24])
  ring.clear()
  t.ok(add(ring, record(160)), 'and room is room again')
  t.notOk(add(ring, record(1000)), 'what is longer than a segment never fits')
})

t.test('the reader sees what is published, and the writer gets a segment back when it has been read to its end and released', async t => {
  const ring = new TraceRing(1024), reader = new TraceReader(ring.memory), record = RECORDS[0], A_SEGMENT = 9
  const fill = (): number => {
    let fitted = 0
    while (add(ring, record)) fitted++
    return fitted
  }
  t.notOk(reader.next())
  add(ring, record)
  t.notOk(reader.next(), 'not yet')
  t.notOk(ring.publish(), 'nobody sleeps')
  t.ok(reader.next())
  t.same(plain(reader.record.record()), plain(record))
  t.notOk(reader.next())
  t.equal(fill(), 2 * A_SEGMENT - 1, 'what was read takes room')
  reader.release()
  t.notOk(add(ring, record), 'as long as something behind it in its segment has not been')
  ring.publish()
  t.same(take(reader).map(plain), Array.from({ length: 2 * A_SEGMENT - 1 }, () => plain(record)))
  t.notOk(add(ring, record), 'and until it is released')
  reader.release()
  t.equal(fill(), A_SEGMENT, 'of the other segment, nobody knows yet that nothing comes behind it')
  ring.publish()
  t.equal(take(reader).length, A_SEGMENT)
  reader.release()
  t.equal(fill(), A_SEGMENT)
})

t.test('as long as the reader keeps up, the same memory is used again; more of it when the reader is late', async t => {
  const CAPACITY = 1 << 22, SEGMENT = 1 << 18, ring = new TraceRing(CAPACITY), reader = new TraceReader(ring.memory)
  const frame = new Uint8Array(1000), record: TraceRecord = { time: 1n, action: 'forward', received: { side: 'lan', frame }, sent: { side: 'wan', frame } }
  const turn = (records: number): number => {
    let highest = 0, added = 0
    while (added < records && add(ring, record)) added++
    t.equal(added, records)
    ring.publish()
    while (reader.next()) highest = Math.max(highest, reader.record.receivedAt)
    reader.release()
    return highest
  }
  const late = 2500, least = late * (frame.length + HEADER_BYTES)
  t.ok(least > 9 * SEGMENT && turn(late) > least)
  for (let i = 0; i < 100; i++) t.ok(turn(20) < (i < 12 ? CAPACITY : 2 * SEGMENT), 'back to the lowest')
})

t.test('a reader that sleeps is woken once; one that is late for it is not left to sleep', async t => {
  const ring = new TraceRing(1 << 14), reader = new TraceReader(ring.memory)
  t.ok(reader.sleep())
  add(ring, RECORDS[0])
  t.ok(ring.publish(), 'wake it')
  add(ring, RECORDS[0])
  t.notOk(ring.publish(), 'it has been told')
  t.notOk(reader.sleep(), 'there is more: read on')
  t.equal(take(reader).length, 2)
  t.ok(reader.sleep())
})

t.test('stamps are the time', async t => {
  const clock = new RouterClock(), words = new Int32Array(3), before = wallTime()
  clock.stamp(words, 1)
  const time = timeOfStamp(words, 1)
  t.ok(time >= before && time <= wallTime())
  t.ok(words[2] >= 0 && words[2] < 1e9)
})

t.test('partial checksums are completed, before and after', async t => {
  const ring = new TraceRing(1 << 12), whole = udp('192.168.1.3:2000', '130.74.23.6:1200', 'hello'), frame = whole.slice()
  frame.fill(0, 40, 42)
  ring.open(new DataView(frame.buffer), 0, frame.length, true)
  ring.close('forward', null, false, 'lan', 'wan', null, new Int32Array(2))
  const [{ received, sent }] = ring.unpublished()
  t.same([received?.frame, sent?.frame].map(each => Buffer.from(each ?? [])), [Buffer.from(whole), Buffer.from(whole)])
})

t.test('records over the control socket are the same records', async t => {
  for (const record of RECORDS) t.same(plain(eventToRecord(JSON.parse(JSON.stringify(recordToEvent(record))) as ReturnType<typeof recordToEvent>)), plain(record))
})

const LENGTHS = [0, 1, 42, 60, HEAD - 1, HEAD, HEAD + 1, 333, 1514]

function randomRecord(random: Random, lengths: readonly number[]): TraceRecord {
  const side = random.pick(['lan', 'wan'] as const), to: Side = random.pick(['lan', 'wan'] as const)
  const frame = random.bytes(random.pick(lengths)), time = BigInt(random.word()) * 1_000_003n
  switch (random.below(5)) {
    case 0: return { time, action: 'drop', ...(random.oneIn(2) ? { waited: true } : {}), reason: random.pick(DROP_REASON_NAMES), received: { side, frame } }
    case 1: return { time, action: 'answer', received: { side, frame }, sent: { side, frame: random.bytes(random.pick(LENGTHS)) } }
    case 2: return { time, action: 'originate', sent: { side: to, frame } }
    default: {
      const sent = frame.slice()
      sent.set(random.bytes(Math.min(HEAD, frame.length)))
      return { time, action: 'forward', received: { side, frame }, sent: { side: to, frame: sent } }
    }
  }
}

/** In place of the ring: a queue, and bytes as the ring counts them. Refusals are the ring's own affair, but never where half of it is free. */
function against(t: Test, seed: number, capacity: number, lengths: readonly number[], steps: number): void {
  const random = new Random(seed), ring = new TraceRing(capacity), reader = new TraceReader(ring.memory)
  const written: TraceRecord[] = [], published: TraceRecord[] = []
  let kept = 0, refused = 0, wrong = 0, bytesHeld = 0
  const size = ({ received, sent }: TraceRecord): number => HEADER_BYTES + 24 + 2 * ((received?.frame.length ?? 0) + (sent?.frame.length ?? 0))
  for (let step = 0; step < steps; step++) {
    if (random.oneIn(3)) {
      published.push(...written.splice(0))
      ring.publish()
    }
    if (random.oneIn(4)) {
      const found = take(reader)
      wrong += JSON.stringify(found.map(plain), text) === JSON.stringify(published.splice(0).map(plain), text) ? 0 : 1
      reader.release()
      bytesHeld = written.reduce((sum, record) => sum + size(record), 0)
      continue
    }
    const record = randomRecord(random, lengths)
    if (add(ring, record)) {
      written.push(record)
      bytesHeld += size(record)
      kept++
    } else {
      refused++
      if (bytesHeld + 2 * size(record) < capacity / 2) wrong++
    }
  }
  t.equal(wrong, 0, `seed ${seed}`)
  t.ok(kept > 0 && (refused > 0 || capacity > 1 << 20), `${kept} kept, ${refused} refused`)
}

const text = (_key: string, value: unknown): unknown => typeof value === 'bigint' ? String(value) : value

t.test('any records in any order, round and round the ring, as a queue would have it', async t => {
  for (let seed = 1; seed <= 20; seed++) against(t, seed, 1 << 13, LENGTHS, 600)
  for (let seed = 21; seed <= 24; seed++) against(t, seed, 1 << 18, [60, 1514, 65_549], 60)
})
