// The NAPT table against a naive model: a list of mappings, each a list of sessions, searched from end to end. Seeded operations
// over few hosts, remote endpoints and ports, so that they meet, under every mapping and filtering.
import t from 'tap'
import { DEPENDENCES, type Dependence } from '../../../napt/behaviour/behaviour.js'
import { Random } from '../random.js'
import { TableBench } from './table-bench.js'

const UDP_TIME = 300_000

interface Session { readonly remote: string, deadline: number }
interface Mapping { readonly lan: string, readonly key: string, readonly wanPort: number, readonly isStatic: boolean, sessions: Session[] }

class Model {
  mappings: Mapping[] = []
  /** By which mapping a LAN endpoint's packets to a remote endpoint leave: the first that made a session of the two. */
  #wayOut = new Map<string, Mapping>()
  #nextPort = 3400
  readonly mapping: Dependence
  readonly filtering: Dependence

  constructor(mapping: Dependence, filtering: Dependence) {
    this.mapping = mapping
    this.filtering = filtering
  }

  lapse(now: number): void {
    for (const mapping of this.mappings) mapping.sessions = mapping.sessions.filter(({ deadline }) => deadline > now)
    this.mappings = this.mappings.filter(({ isStatic, sessions }) => isStatic || sessions.length > 0)
    for (const [pair, mapping] of this.#wayOut) {
      const remote = pair.split(' ')[1]
      if (!this.mappings.includes(mapping) || !mapping.sessions.some(session => session.remote === remote)) this.#wayOut.delete(pair)
    }
  }

  out(lan: string, remote: string, now: number): number {
    this.lapse(now)
    const pair = `${lan} ${remote}`
    const key = this.mapping === 'endpoint-independent' ? '' : this.mapping === 'address-dependent' ? remote.split(':')[0] : remote
    let mapping = this.#wayOut.get(pair) ?? this.mappings.find(m => m.lan === lan && (m.isStatic || m.key === '')) ?? this.mappings.find(m => m.lan === lan && m.key === key)
    if (mapping === undefined) {
      while (this.mappings.some(m => m.wanPort === this.#nextPort)) this.#nextPort++
      mapping = { lan, key, wanPort: this.#nextPort++, isStatic: false, sessions: [] }
      this.mappings.push(mapping)
    }
    this.#touch(mapping, remote, now)
    this.#wayOut.set(pair, mapping)
    return mapping.wanPort
  }

  in(wanPort: number, remote: string, now: number): string {
    this.lapse(now)
    const mapping = this.mappings.find(m => m.wanPort === wanPort)
    if (mapping === undefined) return 'no-mapping'
    const isKnown = mapping.sessions.some(session => session.remote === remote)
    const isKnownAddress = mapping.sessions.some(session => session.remote.split(':')[0] === remote.split(':')[0])
    if (!isKnown && !mapping.isStatic && (this.filtering === 'address-and-port-dependent' || (this.filtering === 'address-dependent' && !isKnownAddress))) return 'filtered'
    this.#touch(mapping, remote, now)
    return mapping.lan
  }

  map(wanPort: number, lan: string, now: number): boolean {
    this.lapse(now)
    if (this.mappings.some(m => m.wanPort === wanPort || (m.isStatic && m.lan === lan))) return false
    // A mapping for every remote endpoint gives way; those for one stay beside it.
    this.mappings = this.mappings.filter(m => m.lan !== lan || m.key !== '')
    this.lapse(now)
    this.mappings.push({ lan, key: '', wanPort, isStatic: true, sessions: [] })
    return true
  }

  unmap(wanPort: number, now: number): boolean {
    this.lapse(now)
    const before = this.mappings.length
    this.mappings = this.mappings.filter(m => m.wanPort !== wanPort || !m.isStatic)
    this.lapse(now)
    return this.mappings.length < before
  }

  list(now: number): string[] {
    this.lapse(now)
    return this.mappings.toSorted((a, b) => a.wanPort - b.wanPort).map(m =>
      `${m.isStatic ? 'static ' : ''}udp ${m.lan} = ${m.wanPort}${m.sessions.map(({ remote, deadline }) => ` < ${remote} ${(deadline - now) / 1000}s`).sort().join('')}`)
  }

  #touch(mapping: Mapping, remote: string, now: number): void {
    const session = mapping.sessions.find(s => s.remote === remote)
    if (session !== undefined) {
      session.deadline = now + UDP_TIME
      return
    }
    mapping.sessions.push({ remote, deadline: now + UDP_TIME })
    const pair = `${mapping.lan} ${remote}`
    if (!this.#wayOut.has(pair)) this.#wayOut.set(pair, mapping)
  }
}

const HOSTS = ['192.168.1.2:1000', '192.168.1.2:1001', '192.168.1.3:1000', '192.168.1.4:1000']
const REMOTES = ['8.0.0.1:53', '8.0.0.1:54', '8.0.0.2:53', '8.0.0.2:54', '8.0.0.3:53']

const succeeds = (action: () => void): boolean => {
  try {
    action()
    return true
  } catch {
    return false
  }
}

for (const mapping of DEPENDENCES) for (const filtering of DEPENDENCES) {
  t.test(`mapping ${mapping}, filtering ${filtering}`, async t => {
    const random = new Random(4787)
    const b = new TableBench({ mapping, filtering }), model = new Model(mapping, filtering)
    for (let step = 0; step < 6000; step++) {
      const host = random.pick(HOSTS), remote = random.pick(REMOTES)
      // Ports that are or were in use, and those of static mappings.
      const used = model.mappings.map(m => m.wanPort), port = used.length === 0 || random.oneIn(10) ? 5000 + random.below(3) : random.pick(used)
      let got: unknown, wanted: unknown
      switch (random.below(10)) {
        case 0: case 1: case 2:
          got = b.out('udp', host, remote)
          wanted = model.out(host, remote, b.now)
          break
        case 3: case 4: case 5:
          got = b.in('udp', port, remote)
          wanted = model.in(port, remote, b.now)
          break
        case 6: {
          const wanPort = random.oneIn(3) ? port : 5000 + random.below(3)
          got = succeeds(() => b.map('udp', wanPort, host))
          wanted = model.map(wanPort, host, b.now)
          break
        }
        case 7:
          got = succeeds(() => b.table.removeStatic('udp', 5000 + step % 3, b.now))
          wanted = model.unmap(5000 + step % 3, b.now)
          break
        case 8:
          b.now += random.below(80_000)
          break
        default:
          b.table.expire(b.now)
      }
      if (got !== wanted) {
        t.equal(got, wanted, `step ${step}`)
        return
      }
      if (step % 50 === 0) {
        const wantedList = model.list(b.now)
        if (b.list().join('\n') !== wantedList.join('\n')) {
          t.same(b.list(), wantedList, `step ${step}`)
          return
        }
      }
    }
    t.same(b.list(), model.list(b.now))
    b.now += 2 * UDP_TIME
    b.table.expire(b.now)
    t.equal(b.table.sessionCount, 0, 'everything lapses')
    t.equal(b.table.mappingCount, b.list().length, 'only static mappings are left')
  })
}
