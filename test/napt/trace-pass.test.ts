// Records of packets that took the fast path, whose explanation is kept in short: what is read out of them is the frame as it came in
// and as it went on, to the bit, and the explanation in full. Seeded, over every fuzzed behaviour and every preset.
import t from 'tap'
import { PRESETS } from '../../napt/behaviour/presets.js'
import { completeChecksum } from '../../napt/packet.js'
import { PASS_HEAD } from '../../napt/trace/trace-layout.js'
import { TraceRing } from '../../napt/trace/trace-ring.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import { otherSide, type Side } from '../../napt/verdict.js'
import { DataplaneBench } from './dataplane-bench.js'
import { tcp, udp } from './frames.js'
import { FUZZED } from './fuzz/behaviours.js'
import { arpAnswer, FlowSource } from './fuzz/flow-source.js'
import { Subject, type FuzzOptions } from './fuzz/subject.js'
import { Random } from './random.js'

const FRAMES = 2500
const TIMES = [1, 0.25, 40, 900, 5000, 31_000, 61_000]
/** Nanoseconds since 1970, as a clock stamps it. */
const STAMP = Int32Array.of(1_700_000_000, 123_456_789), TIME = 1_700_000_000_123_456_789n

t.setTimeout(240_000)

/** As it would be on a wire. */
function whole(frame: Uint8Array, partial: boolean): Uint8Array {
  const copy = frame.slice()
  if (partial) completeChecksum(copy, 0, copy.length)
  return copy
}

class Recorded {
  readonly subject: Subject
  readonly ring = new TraceRing(1 << 16)
  readonly #random: Random
  readonly #source: FlowSource
  readonly wrong: string[] = []
  readonly seen = new Set<string>()
  #now = 1000.5

  constructor(options: FuzzOptions, seed: number) {
    this.#random = new Random(seed)
    this.#source = new FlowSource(this.#random)
    this.subject = new Subject(options, 0x5a, this.#now)
  }

  run(frames: number): void {
    for (let i = 0; i < frames && this.wrong.length < 3; i++) {
      const { from, bytes, partial, segment } = this.#source.next()
      this.#process(bytes, from, partial, segment)
      for (const { from: side, frame } of this.subject.redelivered.splice(0)) this.#process(frame, side, false, 0)
      if (!this.#random.oneIn(200)) continue
      this.#now += this.#random.pick(TIMES)
      this.subject.router.tick(this.#now)
    }
  }

  #process(bytes: Uint8Array, from: Side, partial: boolean, segment: number): void {
    const { router } = this.subject, { ring } = this, before = router.fastForwarded
    // Anywhere in a batch; the frame may be the last thing in it.
    const lead = this.#random.below(4), batch = new Uint8Array(lead + bytes.length)
    batch.set(bytes, lead)
    const at = ring.open(new DataView(batch.buffer), lead, batch.length, partial)
    const { action, to, after } = this.subject.process(bytes, from, partial, segment, this.#now)
    if (action === 'forward') this.#source.forwarded(to, after)
    batch.set(after, lead)
    const isPass = router.writePass(ring, at, this.#now)
    // A flow's first packet takes the fast path as well, and is explained in full.
    const wasKnown = router.fastForwarded > before && router.known(this.#now) !== null
    if (isPass !== wasKnown) this.wrong.push(`${action} ${from} is ${isPass ? '' : 'not '}taken for a pass: ${Buffer.from(bytes).toString('hex')}`)
    if (isPass) {
      ring.closePass(from === 'lan', STAMP)
      const [record] = ring.unpublished(), explanation = router.explain(this.#now)
      this.#compare(record, { time: TIME, action: 'forward', ...(explanation === undefined ? {} : { explanation }), received: { side: from, frame: whole(bytes, partial) }, sent: { side: otherSide(from), frame: whole(after, partial) } })
      this.seen.add(`${from} ${explanation?.mapping?.protocol ?? ''}`)
    }
    ring.clear()
    for (const { side, frame } of this.subject.said.splice(0)) {
      const answer = arpAnswer(frame)
      if (answer !== null) this.subject.process(answer, side, false, 0, this.#now)
    }
  }

  #compare(got: TraceRecord, wanted: TraceRecord): void {
    const [first, second] = [got, wanted].map(record => JSON.stringify(record, plain))
    if (first !== second) this.wrong.push(`${first}\n  wanted ${second}`)
  }
}

const plain = (_key: string, value: unknown): unknown => typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value

for (const [name, options] of [...Object.entries(FUZZED), ...PRESETS.map(({ name, nat }): [string, FuzzOptions] => [name, { nat, mtu: { wan: 1492 } }])]) {
  t.test(`a pass says all: ${name}`, async t => {
    const recorded = new Recorded(options, 11)
    recorded.run(FRAMES)
    t.same(recorded.wrong, [])
    t.same([...recorded.seen].toSorted(), ['lan tcp', 'lan udp', 'wan tcp', 'wan udp'])
  })
}

t.test('frames of every length near those at which a record is laid out otherwise, both ways, through the data plane', async t => {
  const b = new DataplaneBench({ filtering: 'endpoint-independent' }), records: TraceRecord[] = [], wanted: string[] = []
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  b.greet('lan', '192.168.1.3')
  const SYN = tcp('192.168.1.3:2000', '130.74.23.6:1200', 'SYN'), ANSWER = tcp('130.74.23.6:1200', '202.204.16.13:2401', 'SYN ACK')
  const ACK = tcp('192.168.1.3:2000', '130.74.23.6:1200', 'ACK'), FIRST = udp('192.168.1.3:2000', '130.74.23.6:1200'), BACK = udp('130.74.23.6:1200', '202.204.16.13:3400')
  for (const [side, frame] of [['lan', SYN], ['wan', ANSWER], ['lan', ACK], ['wan', tcp('130.74.23.6:1200', '202.204.16.13:2401', 'ACK')], ['lan', FIRST], ['wan', BACK]] as const) b.inject(side, frame)
  b.sent('lan')
  b.sent('wan')
  b.dataplane.listen(record => records.push(record))
  const before = b.dataplane.router.fastForwarded
  for (const length of [0, 1, 2, 3, 7, PASS_HEAD - 43, PASS_HEAD - 42, PASS_HEAD - 41, 18, 149, 150, 151, 1400]) {
    const payload = 'x'.repeat(length)
    for (const frame of [udp('192.168.1.3:2000', '130.74.23.6:1200', payload), tcp('192.168.1.3:2000', '130.74.23.6:1200', 'ACK', payload)]) {
      b.inject('lan', frame)
      wanted.push(`lan → wan ${Buffer.from(b.devices.wan.sentFrames.at(-1) ?? []).toString('hex')}`)
    }
    for (const frame of [udp('130.74.23.6:1200', '202.204.16.13:3400', payload), tcp('130.74.23.6:1200', '202.204.16.13:2401', 'ACK', payload)]) {
      b.inject('wan', frame)
      wanted.push(`wan → lan ${Buffer.from(b.devices.lan.sentFrames.at(-1) ?? []).toString('hex')}`)
    }
  }
  t.same(records.map(({ received, sent }) => `${received?.side ?? ''} → ${sent?.side ?? ''} ${Buffer.from(sent?.frame ?? []).toString('hex')}`), wanted)
  t.equal(b.dataplane.router.fastForwarded - before, wanted.length, 'all of them took the fast path')
})
