// Two memory devices and a router between them: what goes out, what the trace says, and what time brings about.
import t from 'tap'
import { wallTime } from '../../napt/clock.js'
import { arpReply, IP, ping, udp } from './frames.js'
import { MACS } from './router-bench.js'
import { DataplaneBench, HOST_MACS, traceLine } from './dataplane-bench.js'
import type { TraceRecord } from '../../napt/trace/trace.js'

const REGISTRATION = udp('192.168.1.3:2000', '130.74.23.6:1200', '2133')
const TRANSLATED = "udp 202.204.16.13:3400 > 130.74.23.6:1200 '2133'"
const ARP_ANSWER = arpReply({ mac: HOST_MACS.wan, address: '130.74.23.6' }, { mac: MACS.wan, address: '202.204.16.13' })

t.test('frames in, frames out', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  b.inject('lan', REGISTRATION)
  t.same(b.sent('wan'), [TRANSLATED])
  b.inject('lan', ping('192.168.1.3', '192.168.1.1', 7))
  t.same(b.sent('lan'), ['echo-reply 192.168.1.1 > 192.168.1.3 id 7'])
  t.same(b.sent('wan'), [])
  t.hasStrict(b.dataplane.deviceCounters, { lan: { received: 2, sent: 1 }, wan: { received: 1, sent: 2, missed: 0, unsent: 0 } })
})

t.test('the trace: forwarded, answered, dropped and originated frames, in order, before and after', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  const records: TraceRecord[] = []
  const started = wallTime()
  b.inject('lan', REGISTRATION)
  const stop = b.dataplane.listen(record => records.push(record))
  b.inject('lan', udp('192.168.1.3:2000', '130.74.23.6:1201', 'second'))
  b.inject('wan', ARP_ANSWER)
  b.inject('wan', udp('130.74.23.6:1200', '202.204.16.13:3400', '!'))
  b.inject('lan', arpReply({ mac: HOST_MACS.lan, address: '192.168.1.3' }, { mac: MACS.lan, address: '192.168.1.1' }))
  b.inject('lan', ping('192.168.1.3', '192.168.1.1', 7))
  b.inject('wan', udp('8.117.12.109:9', '202.204.16.13:3400'))
  b.inject('lan', udp('192.168.1.3:2000', '130.74.23.6:1200', '', { timeToLive: 1 }))
  t.same(records.map(traceLine), [
    // The first frame came before the listener, and waits; the second waits too.
    "hold | lan udp 192.168.1.3:2000 > 130.74.23.6:1201 'second'",
    'answer | wan arp 130.74.23.6 is-at 02:00:00:00:00:06',
    `forward waited | lan udp 192.168.1.3:2000 > 130.74.23.6:1200 '2133' | wan ${TRANSLATED}`,
    "forward waited | lan udp 192.168.1.3:2000 > 130.74.23.6:1201 'second' | wan udp 202.204.16.13:3400 > 130.74.23.6:1201 'second'",
    "hold | wan udp 130.74.23.6:1200 > 202.204.16.13:3400 '!'",
    'originate | lan arp who-has 192.168.1.3 tell 192.168.1.1',
    'answer | lan arp 192.168.1.3 is-at 02:00:00:00:00:03',
    "forward waited | wan udp 130.74.23.6:1200 > 202.204.16.13:3400 '!' | lan udp 130.74.23.6:1200 > 192.168.1.3:2000 '!'",
    'answer | lan echo 192.168.1.3 > 192.168.1.1 id 7 | lan echo-reply 192.168.1.1 > 192.168.1.3 id 7',
    'drop filtered | wan udp 8.117.12.109:9 > 202.204.16.13:3400',
    'drop ttl-expired | lan udp 192.168.1.3:2000 > 130.74.23.6:1200',
    'originate | lan icmp 11/0 192.168.1.1 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200]',
  ])
  const times = records.map(({ time }) => time)
  t.same(times, times.toSorted((x, y) => Number(x - y)), 'times do not go back')
  t.ok(times[0] >= started && times[times.length - 1] <= wallTime(), 'and are those of the wall clock')
  stop()
  b.inject('lan', REGISTRATION)
  t.equal(records.length, 12, 'a listener that has stopped hears no more')
  t.equal(b.dataplane.traceLost, 0)
})

t.test('a listener may keep the frames, and one that stops while it listens disturbs nobody', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  const kept: TraceRecord[] = [], heard: string[] = []
  const stop = b.dataplane.listen(record => {
    kept.push(record)
    stop()
  })
  b.dataplane.listen(record => heard.push(record.action))
  for (const text of ['one', 'two', 'three']) b.inject('lan', udp('192.168.1.3:2000', '130.74.23.6:1200', text))
  t.same(kept.map(traceLine), ["forward | lan udp 192.168.1.3:2000 > 130.74.23.6:1200 'one' | wan udp 202.204.16.13:3400 > 130.74.23.6:1200 'one'"])
  t.same(heard, ['forward', 'forward', 'forward'])
})

t.test('frames that wait for ARP are delivered after the answer, and given up without one', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  b.inject('lan', REGISTRATION)
  t.same(b.sent('wan'), ['arp who-has 130.74.23.6 tell 202.204.16.13'])
  b.inject('wan', ARP_ANSWER)
  t.same(b.sent('wan'), [TRANSLATED])

  const records: string[] = []
  b.dataplane.listen(record => records.push(traceLine(record)))
  b.inject('lan', udp('192.168.1.3:2000', '8.117.12.109:9', 'lost'))
  for (let second = 0; second < 3; second++) b.dataplane.advance(1000)
  const ask = 'arp who-has 8.117.12.109 tell 202.204.16.13'
  t.same(b.sent('wan'), [ask, ask, ask])
  const lost = "lan udp 192.168.1.3:2000 > 8.117.12.109:9 'lost'"
  t.same(records, [`hold | ${lost}`, `originate | wan ${ask}`, `originate | wan ${ask}`, `originate | wan ${ask}`, `drop neighbour-unreachable waited | ${lost}`, `originate | lan icmp 3/1 192.168.1.1 > 192.168.1.3 [${lost.slice(4)}]`])
  t.equal(b.dataplane.router.counters.dropped['neighbour-unreachable'], 1)
})

t.test('advance makes a UDP mapping lapse', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  b.greet('lan', '192.168.1.3')
  b.inject('lan', REGISTRATION)
  b.dataplane.advance(290_000)
  t.same(b.dataplane.router.table(b.dataplane.now).map(({ wanPort }) => wanPort), [3400])
  b.dataplane.advance(10_000)
  t.same(b.dataplane.router.table(b.dataplane.now), [])
  b.inject('wan', udp('130.74.23.6:1200', '202.204.16.13:3400'))
  t.equal(b.dataplane.router.counters.dropped['no-mapping'], 1)
  b.dataplane.router.setNextPort('udp', 2400)
  b.devices.wan.sentFrames.length = 0
  b.inject('lan', REGISTRATION)
  b.inject('wan', ARP_ANSWER)
  t.same(b.sent('wan').filter(text => text.startsWith('udp')), [TRANSLATED.replace('3400', '2400')], 'Fig. 8B')
})

t.test('timers wake the router by themselves', async t => {
  const b = new DataplaneBench({ timeouts: { udp: 0.02 } })
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  let wake = (): void => undefined
  const asked = new Promise<void>(resolve => { wake = resolve })
  // The second ARP request comes from a timer, a second after the first.
  b.dataplane.listen(({ action }) => { if (action === 'originate' && b.devices.wan.sentFrames.length >= 3) wake() })
  b.inject('lan', REGISTRATION)
  b.inject('lan', udp('192.168.1.3:2000', '8.117.12.109:9'))
  // The router's own timer does not keep a process alive; this test's does.
  const alive = setTimeout(() => t.fail('the router slept'), 10_000)
  await asked
  clearTimeout(alive)
  t.same(b.sent('wan'), [TRANSLATED, 'arp who-has 8.117.12.109 tell 202.204.16.13', 'arp who-has 8.117.12.109 tell 202.204.16.13'])
  t.same(b.dataplane.router.table(b.dataplane.now), [], 'and what lapsed has gone')
})

t.test('more frames than one turn takes', async t => {
  const b = new DataplaneBench()
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  for (let i = 0; i < 5000; i++) b.inject('lan', udp(`192.168.1.3:${2000 + i % 100}`, '130.74.23.6:1200', String(i)))
  t.equal(b.devices.wan.sentFrames.length, 5000)
  t.equal(new Set(b.devices.wan.sentFrames.map(frame => frame[IP + 20] * 256 + frame[IP + 21])).size, 100, 'a port for each of 100 hosts')
})

t.test('a trace that outgrows its room counts what it loses', async t => {
  const b = new DataplaneBench({}, 65535)
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  let heard = 0
  b.dataplane.listen(() => heard++)
  // One batch of 12 MB, before and after: the trace holds 16 MiB.
  const large = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'.repeat(60_000))
  large.set(MACS.lan)
  b.devices.lan.watch(() => undefined)
  for (let i = 0; i < 200; i++) b.devices.lan.inject(large)
  b.dataplane.start()
  b.inject('lan', REGISTRATION)
  t.equal(b.devices.wan.sentFrames.length, 201, 'all of them are forwarded')
  t.ok(b.dataplane.traceLost > 0)
  t.equal(heard + b.dataplane.traceLost, 201)
})
