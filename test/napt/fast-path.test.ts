// The fast path against the whole way: two routers see the same frames, one of them without its fast path, and whatever can be seen
// of them has to be the same, to the bit. Seeded, over every fuzzed behaviour and every preset.
import t, { type Test } from 'tap'
import { ConfigError } from '../../napt/fields.js'
import { batchIn } from '../../napt/device/batch.js'
import { PRESETS } from '../../napt/behaviour/presets.js'
import { parseIpv4, type MacAddress, type Port } from '../../napt/wire/address.js'
import { FUZZED } from './fuzz/behaviours.js'
import { arpAnswer, FlowSource } from './fuzz/flow-source.js'
import { configOf, PLACES, Subject, type FuzzOptions } from './fuzz/subject.js'
import { Random } from './random.js'
import { arpReply, udp } from './frames.js'
import { addressed, MACS, RouterBench } from './router-bench.js'

const FRAMES = 25_000
const TIMES = [1, 0.25, 40, 900, 5000, 31_000, 61_000, 125_000]

// Several times what it takes on an idle machine.
t.setTimeout(240_000)

class Pair {
  readonly fast: Subject
  readonly whole: Subject
  readonly #random: Random
  readonly #source: FlowSource
  readonly wrong: string[] = []
  turnedBack = 0
  now = 1000.5

  constructor(options: FuzzOptions, seed: number) {
    this.#random = new Random(seed)
    this.#source = new FlowSource(this.#random)
    this.fast = new Subject(options, 0x5a, this.now)
    this.whole = new Subject(options, 0x5a, this.now, { fastPath: false })
  }

  run(frames: number, change?: (subject: Subject) => void): void {
    const random = this.#random
    for (let i = 0; i < frames && this.wrong.length < 5; i++) {
      const { from, bytes, partial, segment } = this.#source.next()
      const forwardedTo = this.#process(bytes, from, partial, segment)
      if (forwardedTo !== null) this.#source.forwarded(forwardedTo, this.#after)
      for (;;) {
        const [held, same] = [this.fast.redelivered.shift(), this.whole.redelivered.shift()]
        this.#compare('redelivered', held, same)
        if (held === undefined) break
        this.#process(held.frame, held.from, false, 0)
      }
      if (random.oneIn(200)) this.#pass(random.pick(TIMES))
      if (change !== undefined && random.oneIn(500)) for (const subject of [this.fast, this.whole]) change(subject)
      if (i % 1000 === 0) this.#compare('table', this.fast.router.table(this.now), this.whole.router.table(this.now))
    }
    this.#compare('counters', this.fast.router.counters, this.whole.router.counters)
    this.#compare('mappings made', this.fast.router.mappingsMade, this.whole.router.mappingsMade)
    this.#compare('timer', this.fast.router.untilTick(this.now), this.whole.router.untilTick(this.now))
    this.#pass(20_000_000)
    this.#compare('table', this.fast.router.table(this.now), this.whole.router.table(this.now))
  }

  #after: Uint8Array = new Uint8Array(0)

  /** Where the frame went, if it was forwarded whole. */
  #process(bytes: Uint8Array, from: 'lan' | 'wan', partial: boolean, segment: number): 'lan' | 'wan' | null {
    const fast = this.fast.process(bytes, from, partial, segment, this.now, this.#random.pick(PLACES)), whole = this.whole.process(bytes, from, partial, segment, this.now)
    if (fast.action !== whole.action || fast.reason !== whole.reason || fast.to !== whole.to || Buffer.compare(fast.after, whole.after) !== 0) {
      this.#note(`${from} ${String(partial)} ${segment} ${Buffer.from(bytes).toString('hex')}\n  fast  ${fast.action} ${fast.reason ?? ''} ${Buffer.from(fast.after).toString('hex')}\n  whole ${whole.action} ${whole.reason ?? ''} ${Buffer.from(whole.after).toString('hex')}`)
    }
    this.#turnBack(fast.action === 'forward' && fast.to === 'lan' ? fast.after : bytes, partial)
    this.#compare('known', this.fast.router.known(this.now), this.whole.router.known(this.now))
    if (this.#random.oneIn(8)) this.#compare('explanation', this.fast.router.explain(this.now), this.whole.router.explain(this.now))
    this.#after = fast.after
    this.#hear()
    return fast.action === 'forward' ? fast.to : null
  }

  /** Offline, what a LAN host received comes in again as it must have come from the WAN: the short way and the long one. */
  #turnBack(bytes: Uint8Array, partial: boolean): void {
    const [fast, whole] = [this.fast, this.whole].map(({ router }) => {
      const frame = bytes.slice()
      router.turnBack(frame, 0, frame.length, partial)
      return frame
    })
    if (Buffer.compare(fast, whole) !== 0) this.#note(`turned back ${String(partial)} ${Buffer.from(bytes).toString('hex')}\n  fast  ${Buffer.from(fast).toString('hex')}\n  whole ${Buffer.from(whole).toString('hex')}`)
    if (Buffer.compare(fast, bytes) !== 0) this.turnedBack++
  }

  #pass(milliseconds: number): void {
    this.now += milliseconds
    for (const subject of [this.fast, this.whole]) {
      subject.said = []
      subject.router.tick(this.now)
    }
    this.#hear()
  }

  #hear(): void {
    const { said } = this.fast
    if (said.length === 0 && this.whole.said.length === 0) return
    this.#compare('said', said.map(({ side, frame }) => [side, Buffer.from(frame).toString('hex')]), this.whole.said.map(({ side, frame }) => [side, Buffer.from(frame).toString('hex')]))
    for (const { side, frame } of said) {
      const answer = arpAnswer(frame)
      if (answer !== null && !this.#random.oneIn(5)) for (const subject of [this.fast, this.whole]) subject.process(answer, side, false, 0, this.now)
    }
  }

  #compare(what: string, fast: unknown, whole: unknown): void {
    const [first, second] = [JSON.stringify(fast), JSON.stringify(whole)]
    if (first !== second) this.#note(`${what}: ${first}, ${second}`)
  }

  #note(what: string): void { if (this.wrong.length < 5) this.wrong.push(what) }
}

function judge(t: Test, { fast, whole, wrong, turnedBack }: Pair): void {
  t.same(wrong, [])
  const { forwarded } = fast.router.counters, all = forwarded.lan + forwarded.wan
  t.ok(turnedBack > forwarded.wan)
  t.ok(fast.router.fastForwarded > all / 4 && fast.router.fastForwarded < all, `of ${all} forwarded frames ${fast.router.fastForwarded} took the fast path`)
  t.equal(whole.router.fastForwarded, 0)
}

for (const [name, options] of [...Object.entries(FUZZED), ...PRESETS.map(({ name, nat }): [string, FuzzOptions] => [name, { nat, mtu: { wan: 1492 } }])]) {
  t.test(`the same with and without: ${name}`, async t => {
    const pair = new Pair(options, 6)
    pair.run(FRAMES)
    judge(t, pair)
  })
}

t.test('the same while behaviour, address and static mappings change', async t => {
  const random = new Random(7), pair = new Pair({ nat: {} }, 8), names = Object.keys(FUZZED)
  let change = 0, kind = 0, name = names[0], wanPort = 0, address = parseIpv4('202.204.16.13')
  const done = [0, 0, 0, 0]
  pair.run(2 * FRAMES, subject => {
    // Both subjects get the same change.
    if (change++ % 2 === 0) {
      kind = random.below(4)
      done[kind]++
      name = random.pick(names)
      wanPort = 2000 + random.below(48)
      address = random.pick(['202.204.16.13', '202.204.16.77'].map(parseIpv4))
    }
    const { router } = subject, now = pair.now
    switch (kind) {
      case 0:
        router.setBehaviour(configOf(FUZZED[name].nat).nat, now)
        break
      case 1:
        router.flush(now, row => row.wanPort % 2 === 0)
        break
      case 2:
        router.renumber(address, now)
        break
      default:
        orRefused(() => {
          if (wanPort % 2 === 0) router.addStatic({ protocol: 'udp', wanPort: wanPort as Port, address: parseIpv4('192.168.1.3'), port: 2001 as Port }, now)
          else router.removeStatic('udp', wanPort, now)
        })
    }
  })
  t.ok(Math.min(...done) > 10, JSON.stringify(done))
  judge(t, pair)
})

t.test('the second packet of a flow takes it, in either direction', async t => {
  const b = new RouterBench(), out = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'), back = udp('130.74.23.6:1200', '202.204.16.13:3400', 'y')
  for (const packet of [1, 2, 3]) {
    b.lan(out)
    t.equal(b.router.fastForwarded, packet - 1)
  }
  b.wan(back)
  t.equal(b.router.fastForwarded, 2)
  b.wan(back)
  t.equal(b.router.fastForwarded, 3)
  b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200', 'x', { timeToLive: 1 }))
  t.equal(b.router.fastForwarded, 3, 'what has to be decided goes the whole way')
})

t.test('a next hop that has another MAC address from now on gets the next packet there', async t => {
  const b = new RouterBench(), out = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'), moved = Uint8Array.of(2, 7, 7, 7, 7, 7) as MacAddress
  const macs = [1, 2, 3].map(() => Buffer.from(b.lan(out).frames[0].subarray(0, 6)).toString('hex'))
  t.equal(b.router.fastForwarded, 2)
  b.raw('wan', arpReply({ mac: moved, address: '130.74.23.6' }, { mac: MACS.wan, address: '202.204.16.13' }))
  const [frame] = b.lan(out).frames
  t.equal(b.router.fastForwarded, 3)
  t.equal(Buffer.from(frame.subarray(0, 6)).toString('hex'), '020707070707')
  t.not(macs[2], '020707070707')
})

t.test('while an index doubles, flows that have not moved to its new slots take it as well', async t => {
  const b = new RouterBench(), flow = (i: number): Uint8Array => udp(`192.168.1.${2 + i % 7}:${2000 + Math.floor(i / 7)}`, '130.74.23.6:1200', 'x')
  // 16,384 slots are three quarters full with 12,288 flows; each new one then moves eight, the oldest first.
  for (let i = 0; i < 12_400; i++) b.lan(flow(i))
  for (const i of [100, 6000, 12_000, 12_390]) {
    const before = b.router.fastForwarded
    b.lan(flow(i))
    t.equal(b.router.fastForwarded, before + 1, String(i))
  }
})

t.test('foreseen or not, with more flows than it takes: frames and tables are the same', async t => {
  const benches = [new RouterBench(), new RouterBench()], flows = 26_000, router = benches[0].router
  const flow = (i: number): Uint8Array => addressed('lan', udp(`192.168.1.${2 + i % 7}:${2000 + Math.floor(i / 7)}`, '130.74.23.6:1200', 'x'))
  for (let i = 0; i < flows; i++) for (const b of benches) b.lan(flow(i))
  t.equal(router.mappingsMade, flows)
  const random = new Random(9), wrong: string[] = []
  const batch = batchIn(benches[0].memory, 65, 65 * 64), whole = new Uint8Array(64)
  for (let round = 0; round < 40; round++) {
    // Known and unknown flows, a frame that is cut off, one too many to be foreseen.
    const frames = Array.from({ length: 65 }, (_, i) => i === 20 ? flow(3).subarray(0, 30) : flow(random.below(flows + 500)))
    for (const [i, frame] of frames.entries()) {
      batch.starts[i] = i === 0 ? 0 : batch.ends[i - 1]
      batch.ends[i] = batch.starts[i] + frame.length
      batch.bytes.set(frame, batch.starts[i])
    }
    const before = batch.bytes.slice(0, batch.ends[64])
    router.foresee(batch, 0, frames.length, round % 2 === 0 ? 'lan' : 'wan')
    if (Buffer.compare(batch.bytes.subarray(0, batch.ends[64]), before) !== 0) wrong.push(`round ${round}`)
    for (let i = 0, end = 0; i < 65; i++) {
      if (i >= end) end = router.forwardRun(batch, i, 65, 'lan', benches[0].now)
      const verdict = i < end ? 'forward' : router.process(batch.bytes, batch.starts[i], batch.ends[i], false, 'lan', benches[0].now).action
      whole.set(frames[i])
      const { action } = benches[1].router.process(whole, 0, frames[i].length, false, 'lan', benches[1].now)
      if (verdict !== action || Buffer.compare(batch.bytes.subarray(batch.starts[i], batch.ends[i]), whole.subarray(0, frames[i].length)) !== 0) wrong.push(`round ${round} frame ${i}`)
    }
  }
  t.same(wrong, [])
  t.same(router.table(benches[0].now), benches[1].router.table(benches[1].now))
  t.ok(router.fastForwarded > 2000, String(router.fastForwarded))
})

function orRefused(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
}
