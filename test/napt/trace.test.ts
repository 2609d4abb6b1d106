// Trace records: into a block and out again, and what happens when the block is full.
import t from 'tap'
import { eventToRecord, recordToEvent } from '../../napt/control/frame-event.js'
import { readTrace, TraceBuffer, type TraceRecord } from '../../napt/trace.js'
import { DROP_REASON_NAMES } from '../../napt/verdict.js'
import { Random } from './random.js'

/** A record as plain values, so that it does not matter what kind of array a frame is. */
const plain = ({ received, sent, ...rest }: TraceRecord): object => ({
  ...rest,
  ...(received === undefined ? {} : { received: [received.side, Buffer.from(received.frame).toString('hex')] }),
  ...(sent === undefined ? {} : { sent: [sent.side, Buffer.from(sent.frame).toString('hex')] }),
})

function add(buffer: TraceBuffer, { time, action, reason, waited, received, sent }: TraceRecord): void {
  buffer.add(time, action, reason ?? null, waited === true, received?.side ?? null, received?.frame ?? null, sent?.side ?? null, sent?.frame ?? null)
}

const FRAME = Uint8Array.of(1, 2, 3), OTHER = Uint8Array.of(4, 5)
const RECORDS: readonly TraceRecord[] = [
  { time: 1n, action: 'forward', received: { side: 'lan', frame: FRAME }, sent: { side: 'wan', frame: OTHER } },
  { time: 1_700_000_000_123_456_789n, action: 'answer', received: { side: 'wan', frame: FRAME }, sent: { side: 'wan', frame: OTHER } },
  { time: 2n, action: 'answer', received: { side: 'lan', frame: FRAME } },
  { time: 3n, action: 'originate', sent: { side: 'lan', frame: OTHER } },
  { time: 3n, action: 'hold', received: { side: 'lan', frame: FRAME } },
  { time: 4n, action: 'forward', waited: true, received: { side: 'lan', frame: FRAME }, sent: { side: 'wan', frame: OTHER } },
  { time: 4n, action: 'drop', reason: 'truncated', received: { side: 'lan', frame: new Uint8Array(0) } },
  ...DROP_REASON_NAMES.map(reason => ({ time: 5n, action: 'drop', reason, received: { side: 'wan', frame: FRAME } } as const)),
]

t.test('what goes in comes out, in order', async t => {
  const buffer = new TraceBuffer()
  t.ok(buffer.isEmpty)
  for (const record of RECORDS) add(buffer, record)
  t.notOk(buffer.isEmpty)
  t.same([...readTrace(buffer.take())].map(plain), RECORDS.map(plain))
  t.ok(buffer.isEmpty, 'taking begins anew')
  t.same([...readTrace(buffer.take())], [])
})

t.test('a block that was taken is not written to again', async t => {
  const buffer = new TraceBuffer()
  add(buffer, RECORDS[0])
  const block = buffer.take()
  add(buffer, RECORDS[1])
  t.same([...readTrace(block)].map(plain), [plain(RECORDS[0])])
})

t.test('records that do not fit are counted, those that do still come', async t => {
  const buffer = new TraceBuffer(100)
  const record = (length: number): TraceRecord => ({ time: 1n, action: 'drop', reason: 'protocol', received: { side: 'lan', frame: new Uint8Array(length) } })
  for (const length of [40, 40, 20, 1]) add(buffer, record(length))
  t.equal(buffer.lost, 2)
  t.same([...readTrace(buffer.take())].map(({ received }) => received?.frame.length), [40, 20])
  add(buffer, record(80))
  t.equal([...readTrace(buffer.take())].length, 1)
})

t.test('records over the control socket are the same records', async t => {
  for (const record of RECORDS) t.same(plain(eventToRecord(JSON.parse(JSON.stringify(recordToEvent(record))) as ReturnType<typeof recordToEvent>)), plain(record))
})

t.test('random records', async t => {
  const random = new Random(12)
  const buffer = new TraceBuffer(1 << 22)
  const records = Array.from({ length: 500 }, (): TraceRecord => ({
    time: BigInt(random.word()) * 1_000_003n, action: 'forward',
    received: { side: random.pick(['lan', 'wan'] as const), frame: random.bytes(random.below(1600)) },
    sent: { side: random.pick(['lan', 'wan'] as const), frame: random.bytes(random.below(1600)) },
  }))
  for (const record of records) add(buffer, record)
  t.same([...readTrace(buffer.take())].map(plain), records.map(plain))
})
