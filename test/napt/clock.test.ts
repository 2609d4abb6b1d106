// A router's own clock: advanced, frozen, run at another rate; and what of that the router's timers see.
import t from 'tap'
import { FileClock, RouterClock, wallTime } from '../../napt/clock.js'
import { DataplaneBench } from './dataplane-bench.js'
import { udp } from './frames.js'

/** A machine whose time passes only when the test says so. */
class Machine {
  time = 5000
  readonly clock = new RouterClock(() => this.time)
}

const ASK = 'arp who-has 8.117.12.109 tell 202.204.16.13'

t.test('it begins at 0 and runs with the machine', async t => {
  const machine = new Machine(), { clock } = machine
  t.equal(clock.now(), 0)
  t.equal(clock.rate, 1)
  machine.time += 1500
  t.equal(clock.now(), 1500)
  clock.advance(300_000)
  t.equal(clock.now(), 301_500)
})

t.test('frozen, it moves only when it is advanced, and goes on from there', async t => {
  const machine = new Machine(), { clock } = machine
  machine.time += 1000
  clock.freeze()
  t.equal(clock.rate, 0)
  machine.time += 60_000
  t.equal(clock.now(), 1000)
  clock.freeze()
  clock.advance(500)
  t.equal(clock.now(), 1500)
  clock.run()
  t.equal(clock.now(), 1500, 'no leap over the time it stood still')
  machine.time += 10
  t.equal(clock.now(), 1510)
})

t.test('faster and slower, without a leap when the rate changes', async t => {
  const machine = new Machine(), { clock } = machine
  machine.time += 100
  clock.run(10)
  t.equal(clock.now(), 100)
  machine.time += 100
  t.equal(clock.now(), 1100)
  clock.run(0.5)
  t.equal(clock.now(), 1100)
  machine.time += 100
  t.equal(clock.now(), 1150)
  for (const rate of [0, -1, 0.0009, 1001, NaN, Infinity]) t.throws(() => clock.run(rate), { message: /a number from 0\.001 to 1000 is wanted/ }, String(rate))
  t.throws(() => clock.run(5000), { message: 'rate is 5000; a number from 0.001 to 1000 is wanted' })
  t.equal(clock.rate, 0.5, 'a rate that is refused changes nothing')
})

t.test('it never runs backwards', async t => {
  const machine = new Machine(), { clock } = machine
  let last = clock.now()
  for (let step = 0; step < 1000; step++) {
    machine.time += step * 7919 % 13
    if (step % 3 === 0) clock.run([0.001, 0.3, 1, 7, 1000][step % 5])
    if (step % 7 === 0) clock.freeze()
    if (step % 11 === 0) clock.advance(step % 2)
    const now = clock.now()
    if (now < last) t.fail(`from ${last} back to ${now}`)
    last = now
  }
  t.ok(last > 0)
})

t.test('records keep the true time', async t => {
  const { clock } = new Machine(), before = wallTime()
  clock.freeze()
  clock.advance(1e9)
  const time = clock.wallTime()
  t.ok(time >= before && time <= wallTime())
})

t.test('a file\'s clock does not run by itself', async t => {
  const clock = new FileClock()
  t.equal(clock.rate, 0)
  clock.set(2_000_000_000n)
  t.equal(clock.now(), 2000)
  clock.set(1_000_000_000n)
  t.equal(clock.now(), 2000, 'nor back')
})

t.test('on a frozen router the first ARP request goes out at once, the next with the clock', async t => {
  const machine = new Machine(), b = new DataplaneBench({}, 1500, machine.clock)
  t.teardown(() => b.dataplane.close())
  machine.clock.freeze()
  b.inject('lan', udp('192.168.1.3:2000', '8.117.12.109:9'))
  t.same(b.sent('wan'), [ASK])
  machine.time += 5000
  b.dataplane.tick()
  t.same(b.sent('wan'), [], 'time stands still')
  b.dataplane.advance(1000)
  t.same(b.sent('wan'), [ASK])
})

t.test('frozen, a table lapses whole when time is let pass, however large', async t => {
  const machine = new Machine(), b = new DataplaneBench({}, 1500, machine.clock)
  t.teardown(() => b.dataplane.close())
  machine.clock.freeze()
  b.greet('wan', '130.74.23.6')
  for (let port = 2000; port < 5000; port++) b.inject('lan', udp(`192.168.1.3:${port}`, '130.74.23.6:1200'))
  t.equal(b.dataplane.router.table(b.dataplane.now).length, 3000)
  b.dataplane.advance(301_000)
  t.same(b.dataplane.router.table(b.dataplane.now), [])
  // What a turn of the loop leaves over is removed by the next ones, though no time passes.
  for (let turn = 0; turn < 1000 && b.dataplane.router.untilTick(b.dataplane.now) === 0; turn++) await new Promise(resolve => { setTimeout(resolve) })
  t.equal(b.dataplane.router.untilTick(b.dataplane.now), Infinity)
})

t.test('timers come at the clock\'s rate', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  b.clock.run(50)
  b.dataplane.tick()
  let wake = (): void => undefined
  const abandoned = new Promise<void>(resolve => { wake = resolve })
  b.dataplane.listen(({ reason }) => { if (reason === 'neighbour-unreachable') wake() })
  const began = performance.now(), clockBegan = b.clock.now()
  b.inject('lan', udp('192.168.1.3:2000', '8.117.12.109:9'))
  const alive = setTimeout(() => t.fail('the router slept'), 10_000)
  await abandoned
  clearTimeout(alive)
  t.ok(b.clock.now() - clockBegan >= 3000, 'three seconds on the router\'s clock')
  t.ok(performance.now() - began < 2000, 'and far less on the machine\'s')
})

t.test('a rate that changes sets the timers anew', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  b.clock.run(0.001)
  b.dataplane.tick()
  let wake = (): void => undefined
  const asked = new Promise<void>(resolve => { wake = resolve })
  b.dataplane.listen(({ action }) => { if (action === 'originate' && b.devices.wan.sentFrames.length === 2) wake() })
  b.inject('lan', udp('192.168.1.3:2000', '8.117.12.109:9'))
  // At this rate the next request would come in a thousand seconds.
  b.clock.run(100)
  b.dataplane.tick()
  const alive = setTimeout(() => t.fail('the router slept on'), 10_000)
  await asked
  clearTimeout(alive)
  t.same(b.sent('wan'), [ASK, ASK])
})
