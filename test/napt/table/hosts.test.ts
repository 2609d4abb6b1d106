// What hosts hold: rows that come and go, limits on mappings and sessions, the rate of new sessions; and seeded operations
// against a model.
import t from 'tap'
import { Hosts, type HostLimits } from '../../../napt/table/hosts.js'
import { parseIpv4 } from '../../../napt/wire/address.js'
import { Random } from '../random.js'

const NO_LIMITS: HostLimits = { mappingsPerHost: 0, sessionsPerHost: 0, newSessionsPerSecond: 0 }
const hosts = (limits: Partial<HostLimits> = {}): Hosts => new Hosts({ ...NO_LIMITS, ...limits })
const A = parseIpv4('192.168.1.3'), B = parseIpv4('192.168.1.11'), WAN = parseIpv4('202.204.16.13')

t.test('a row comes with the first question and goes with the last thing', async t => {
  const table = hosts()
  t.equal(table.find(A), -1)
  const a = table.obtain(A), b = table.obtain(B)
  t.not(a, b)
  t.equal(table.obtain(A), a)
  t.equal(table.find(A), a)
  t.equal(table.count, 2)
  t.same([table.address(a), table.mappings(a), table.sessions(a), table.wanAddress(a)], [A, 0, 0, 0])
  table.mappingAdded(a)
  table.mappingAdded(a)
  table.sessionAdded(a)
  t.same([table.mappings(a), table.sessions(a), table.mappings(b), table.sessions(b)], [2, 1, 0, 0])
  t.notOk(table.releaseIfEmpty(a))
  t.notOk(table.sessionRemoved(a))
  t.notOk(table.mappingRemoved(a))
  t.ok(table.mappingRemoved(a))
  t.equal(table.find(A), -1)
  t.equal(table.count, 1)
})

t.test('mappings may go before sessions', async t => {
  const table = hosts(), row = table.obtain(A)
  table.mappingAdded(row)
  table.sessionAdded(row)
  t.notOk(table.mappingRemoved(row))
  t.ok(table.sessionRemoved(row))
  t.equal(table.count, 0)
})

t.test('an empty row does not stay', async t => {
  const table = hosts()
  for (let address = 1; address <= 1000; address++) t.ok(table.releaseIfEmpty(table.obtain(address)))
  t.equal(table.count, 0)
  t.equal(table.obtain(A), 0, 'the first row was used all along')
})

t.test('the WAN address belongs to the host as long as it has a row', async t => {
  const table = hosts(), row = table.obtain(A)
  table.setWanAddress(row, WAN)
  t.equal(table.wanAddress(row), WAN)
  t.equal(table.wanAddress(table.obtain(B)), 0)
  t.ok(table.releaseIfEmpty(row))
  t.equal(table.wanAddress(table.obtain(A)), 0)
})

t.test('limits on mappings and sessions are for each host, and 0 is none', async t => {
  const table = hosts({ mappingsPerHost: 2, sessionsPerHost: 3 }), a = table.obtain(A), b = table.obtain(B)
  for (let i = 0; i < 2; i++) {
    t.equal(table.admitMapping(a), null)
    table.mappingAdded(a)
  }
  t.equal(table.admitMapping(a), 'host-limit')
  for (let i = 0; i < 3; i++) {
    t.equal(table.admitSession(a, 0), null)
    table.sessionAdded(a)
  }
  t.equal(table.admitSession(a, 0), 'host-limit')
  t.same([table.admitMapping(b), table.admitSession(b, 0)], [null, null])
  table.sessionRemoved(a)
  t.equal(table.admitSession(a, 0), null, 'one has gone')
  table.change({ ...NO_LIMITS, mappingsPerHost: 1 })
  t.same([table.admitMapping(a), table.admitSession(a, 0)], ['host-limit', null], 'other limits; what is there stays')
  table.change(NO_LIMITS)
  t.equal(table.admitMapping(a), null)
})

t.test('one second\'s worth of sessions at once, then one each time that one is due', async t => {
  const table = hosts({ newSessionsPerSecond: 4 }), row = table.obtain(A), from = 1_000_000
  const admitted = (now: number): boolean => table.admitSession(row, from + now) === null
  t.same([1, 2, 3, 4, 5].map(() => admitted(0)), [true, true, true, true, false])
  t.equal(table.admitSession(row, from), 'host-rate')
  t.equal(table.admitSession(table.obtain(B), from), null, 'the other host is free to')
  t.same([249, 250, 250, 499, 500].map(admitted), [false, true, false, false, true], 'a refusal costs nothing')
  t.same([1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000].map(admitted), [true, true, true, true, false], 'a long silence gives no more than one second\'s')
})

t.test('the rate is exact for rates that do not divide a second', async t => {
  for (const rate of [1, 3, 7, 30, 999, 1500]) {
    const table = hosts({ newSessionsPerSecond: rate }), row = table.obtain(A)
    let admitted = 0
    for (let now = 0; now < 10_000; now++) for (let i = 0; i < 3; i++) if (table.admitSession(row, now) === null) admitted++
    // The burst, and what 9.999 seconds bring.
    t.equal(admitted, rate + Math.floor(rate * 9.999), `${rate} a second`)
  }
})

t.test('what the limit on sessions refuses does not count towards the rate', async t => {
  const table = hosts({ sessionsPerHost: 1, newSessionsPerSecond: 2 }), row = table.obtain(A)
  t.equal(table.admitSession(row, 0), null)
  table.sessionAdded(row)
  for (let i = 0; i < 10; i++) t.equal(table.admitSession(row, 0), 'host-limit')
  table.mappingAdded(row)
  table.sessionRemoved(row)
  t.equal(table.admitSession(row, 0), null)
  t.equal(table.admitSession(row, 0), 'host-rate')
})

t.test('another rate holds at once', async t => {
  const table = hosts({ newSessionsPerSecond: 100 }), row = table.obtain(A)
  for (let i = 0; i < 100; i++) table.admitSession(row, 0)
  table.change({ ...NO_LIMITS, newSessionsPerSecond: 10 })
  t.equal(table.admitSession(row, 1000), 'host-rate', 'the debt of 100 is paid at 10 a second')
  t.equal(table.admitSession(row, 9099), 'host-rate')
  t.equal(table.admitSession(row, 9100), null)
  table.change(NO_LIMITS)
  t.equal(table.admitSession(row, 9100), null)
})

interface Host { wan: number, mappings: number, sessions: number, tokens: number, at: number }

t.test('as a simple model does, through thousands of operations', async t => {
  const limits = { mappingsPerHost: 6, sessionsPerHost: 9, newSessionsPerSecond: 2 }
  const random = new Random(6888), table = hosts(limits), model = new Map<number, Host>(), seen = new Map<string, number>()
  // More hosts than the first 64 rows, so that the columns grow; signed addresses as well.
  const addresses = Array.from({ length: 150 }, (_, i) => parseIpv4(`${i % 2 === 0 ? 10 : 192}.168.1.${i + 1}`))
  let now = 0
  for (let step = 0; step < 40_000; step++) {
    // Thirty-seconds of a second: the model's tokens are exact binary fractions.
    if (random.oneIn(20)) now += 31.25 * random.below(8)
    // Few hosts most of the time, so that they reach their limits.
    const address = addresses[random.below(random.oneIn(3) ? 150 : 10)]
    const host = model.get(address)
    const row = table.find(address)
    if ((row === -1) !== (host === undefined)) {
      t.fail(`step ${step}: row ${row}`)
      return
    }
    let got: unknown, wanted: unknown
    if (host === undefined) {
      model.set(address, { wan: 0, mappings: 0, sessions: 0, tokens: limits.newSessionsPerSecond, at: now })
      table.obtain(address)
    } else switch (random.below(9)) {
      case 0: case 1:
        got = table.admitMapping(row)
        wanted = host.mappings < limits.mappingsPerHost ? null : 'host-limit'
        if (wanted !== null) break
        host.mappings++
        table.mappingAdded(row)
        break
      case 2: case 3: case 4:
        got = table.admitSession(row, now)
        host.tokens = Math.min(limits.newSessionsPerSecond, host.tokens + (now - host.at) / 1000 * limits.newSessionsPerSecond)
        host.at = now
        wanted = host.sessions >= limits.sessionsPerHost ? 'host-limit' : host.tokens < 1 ? 'host-rate' : null
        seen.set(String(wanted), (seen.get(String(wanted)) ?? 0) + 1)
        if (wanted !== null) break
        host.tokens--
        host.sessions++
        table.sessionAdded(row)
        break
      case 5: case 6: {
        const what = random.pick(['mappings', 'sessions'] as const)
        if (host[what] === 0) break
        host[what]--
        got = what === 'mappings' ? table.mappingRemoved(row) : table.sessionRemoved(row)
        wanted = host.mappings + host.sessions === 0
        if (wanted === true) model.delete(address)
        break
      }
      case 7:
        host.wan = random.word() | 0
        table.setWanAddress(row, host.wan)
        break
      default:
        got = table.releaseIfEmpty(row)
        wanted = host.mappings + host.sessions === 0
        if (wanted === true) model.delete(address)
    }
    if (got !== wanted || table.count !== model.size) {
      t.same([got, table.count], [wanted, model.size], `step ${step}`)
      return
    }
  }
  for (const [address, { wan, mappings, sessions }] of model) {
    const row = table.find(address)
    t.same([table.address(row), table.wanAddress(row), table.mappings(row), table.sessions(row)], [address, wan, mappings, sessions])
  }
  for (const outcome of ['null', 'host-limit', 'host-rate']) t.ok((seen.get(outcome) ?? 0) > 300, `${outcome}: ${seen.get(outcome) ?? 0}`)
})
