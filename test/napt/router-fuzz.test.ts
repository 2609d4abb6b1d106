// A million damaged frames and more through both directions of routers of every kind. The seeds are fixed, so that what is found can
// be found again; fuzz/ has the frames and what is judged.
import t, { type Test } from 'tap'
import { ConfigError } from '../../napt/fields.js'
import { DROP_REASON_NAMES, type DropReason } from '../../napt/verdict.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { FUZZED } from './fuzz/behaviours.js'
import { FuzzRun, type Change } from './fuzz/fuzz-run.js'
import { roomOf } from './fuzz/room.js'
import { configOf, Subject } from './fuzz/subject.js'
import { Random } from './random.js'

const FRAMES = 86_000
const FRAMES_WITH_CHANGES = 150_000
const MOST_SESSIONS = 400
const NAMES = Object.keys(FUZZED)
const ADDRESSES = ['202.204.16.13', '202.204.16.14', '202.204.16.77'].map(parseIpv4)

// Several times what it takes on an idle machine.
t.setTimeout(120_000)

const reached = new Set<DropReason>()
let frames = 0

function judge(t: Test, name: string, run: FuzzRun): void {
  t.same(run.wrong, [])
  const { actions, subjects: [{ router, abandonedFor, waiting }] } = run, { counters } = router
  for (const reason of [...run.reasons, ...abandonedFor]) reached.add(reason)
  frames += Object.values(actions).reduce((sum, count) => sum + count)
  t.ok(actions.forward > FRAMES / 20 && actions.hold > 0 && actions.answer > FRAMES / 50, `the frames went deep: ${JSON.stringify(actions)}`)
  t.equal(Object.values(counters.dropped).reduce((sum, count) => sum + count), actions.drop + abandonedFor.length, 'every drop was counted')
  t.equal(counters.forwarded.lan + counters.forwarded.wan, actions.forward + actions.split)
  t.equal(counters.held, actions.hold)
  t.ok(waiting >= 0)
  const statics = configOf(FUZZED[name].nat).nat.staticMappings
  t.same(run.lapse(), { rows: statics.map(({ wanPort }) => `static ${wanPort} 0`), waiting: 0, untilTick: Infinity }, 'in the end everything lapses')
  t.same(roomOf(router, run.now), roomOf(new Subject(FUZZED[name], 0, 0).router, 0), 'and leaves all the room that a new router has')
}

for (const [i, name] of NAMES.entries()) {
  t.test(`${FRAMES} damaged frames: ${name}`, async t => {
    const run = new FuzzRun(FUZZED[name], new Random(1000 + i))
    run.run(FRAMES, MOST_SESSIONS)
    judge(t, name, run)
  })
}

t.test(`${FRAMES_WITH_CHANGES} damaged frames, and changes meanwhile`, async t => {
  const random = new Random(3), run = new FuzzRun({ ...FUZZED[NAMES[0]], mtu: { wan: 700 } }, random)
  const done = { behaviour: 0, flush: 0, renumber: 0, static: 0 }
  const change = (): Change => {
    const kind = random.pick(['behaviour', 'flush', 'renumber', 'static'] as const)
    done[kind]++
    switch (kind) {
      case 'behaviour': {
        const { nat } = configOf(FUZZED[random.pick(NAMES)].nat)
        return ({ router }, now) => router.setBehaviour(nat, now)
      }
      case 'flush': {
        const odd = random.below(2)
        return ({ router }, now) => router.flush(now, ({ wanPort }) => wanPort % 2 === odd)
      }
      case 'renumber': {
        const address = random.pick(ADDRESSES)
        return ({ router }, now) => orRefused(() => router.renumber(address, now))
      }
      case 'static': {
        const wanPort = 4990 + random.below(30), add = random.oneIn(2)
        const mapping = configOf({ staticMappings: [{ protocol: 'tcp', wanPort, address: '192.168.1.3', port: 2000 + random.below(9) }] }).nat.staticMappings[0]
        return ({ router }, now) => orRefused(() => add ? router.addStatic(mapping, now) : router.removeStatic('tcp', wanPort, now))
      }
    }
  }
  run.run(FRAMES_WITH_CHANGES, MOST_SESSIONS, change)
  t.ok(Math.min(...Object.values(done)) > 10, JSON.stringify(done))
  run.reset()
  judge(t, NAMES[0], run)
})

t.test('it was a million frames, and they came as far as frames can', async t => {
  t.ok(frames >= 1_000_000, `${frames} frames`)
  t.same(DROP_REASON_NAMES.filter(reason => !reached.has(reason)), [])
})

/** A change that contradicts the addresses is refused, and then changes nothing. */
function orRefused(act: () => unknown): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
}
