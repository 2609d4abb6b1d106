// The port pool against a naive model, which tries one port after another: seeded operations over few ports and all rules.
import t from 'tap'
import { PortPool, type PortRequest, type PortRules } from '../../../napt/table/ports.js'
import { Random } from '../random.js'

/** The rules once more, by trying one port after another. */
class Model {
  rules: PortRules
  next: number
  readonly holders = new Map<number, number>()
  readonly since = new Map<number, number>()
  readonly #nextIn = new Map<number, number>()
  readonly #random: () => number

  constructor(rules: PortRules, random: () => number) {
    this.rules = rules
    this.next = rules.first
    this.#random = random
  }

  allocate(wanted: number, now: number, { from = 0, to = 65535, preferred = -1, sharable }: PortRequest): number {
    const { rules } = this, asks = sharable !== undefined
    // For good: a longer resting time, set later, is only for those that still rest.
    for (const [port, since] of this.since) if (since + rules.reuseDelay <= now) this.since.delete(port)
    const isFree = (port: number): boolean => !this.holders.has(port) && !this.since.has(port)
    const isShared = (port: number): boolean => this.holders.has(port) && asks && sharable(port)
    const isLikeWanted = (port: number): boolean => !rules.parity || port % 2 === wanted % 2
    const range: number[] = []
    for (let port = Math.max(rules.from, from); port <= Math.min(rules.to, to); port++) range.push(port)
    const kept = rules.keepWellKnown && rules.from > 0 ? range.filter(port => (port < 1024) === (wanted < 1024)) : range
    const allowed = kept.length > 0 ? kept : range
    const searched = rules.from > 0 && allowed.some(port => port >= 1024) ? allowed.filter(port => port >= 1024) : allowed
    const isGood = (port: number): boolean => allowed.includes(port) && (isFree(port) || isShared(port))
    const hold = (port: number): number => {
      this.holders.set(port, (this.holders.get(port) ?? 0) + 1)
      this.since.delete(port)
      return port
    }
    if (allowed.length === 0) return -1
    if (isGood(preferred) && isLikeWanted(preferred)) return hold(preferred)
    if (rules.allocation === 'preserve' && isGood(wanted)) return hold(wanted)
    const order = rules.allocation === 'preserve' ? rules.collision : rules.allocation
    if (order === 'refuse') return -1
    const isHere = allowed.includes(this.next), stored = this.#nextIn.get(searched[0]) ?? -1
    const begin = order === 'random' ? searched[Math.floor(this.#random() / 2 ** 32 * searched.length)] : isHere ? this.next : searched.includes(stored) ? stored : searched[0]
    const turn = [...allowed.filter(port => port >= begin), ...searched.filter(port => port < begin)]
    const liked = turn.filter(isLikeWanted)
    const port = liked.find(isFree) ?? liked.find(isShared) ?? turn.find(isFree) ?? turn.find(isShared) ?? -1
    if (order === 'sequential' && (port !== -1 || asks)) {
      // After a refusal to share, the next 128 ports: here, that is always more than are left.
      const next = port === -1 || port === allowed[allowed.length - 1] ? searched[0] : port + 1
      if (isHere) this.next = next
      else this.#nextIn.set(searched[0], next)
    }
    return port === -1 ? -1 : hold(port)
  }

  take(port: number): boolean {
    if (this.holders.has(port)) return false
    this.holders.set(port, 1)
    this.since.delete(port)
    return true
  }

  release(port: number, now: number): void {
    const left = (this.holders.get(port) ?? 0) - 1
    if (left > 0) this.holders.set(port, left)
    if (left !== 0) return
    this.holders.delete(port)
    if (this.rules.reuseDelay > 0) this.since.set(port, now)
  }
}

// 40 ports around 1024, so that every rule is met and the pool is often full.
t.test('as a simple model does, through thousands of operations', async t => {
  let given = 0, refused = 0, shared = 0
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const near = (): number => 1000 + random.below(60)
    const rules = (): PortRules => {
      const from = random.oneIn(5) ? 0 : near(), to = from + random.below(40)
      return {
        allocation: random.pick(['preserve', 'sequential', 'random'] as const), collision: random.pick(['sequential', 'random', 'refuse'] as const),
        parity: random.oneIn(2), keepWellKnown: random.oneIn(2), first: random.oneIn(5) ? random.below(40) : near(), from, to, reuseDelay: random.pick([0, 0, 100, 1000]),
      }
    }
    const first = rules(), a = new Random(seed), b = new Random(seed)
    const ports = new PortPool(first, () => a.word()), model = new Model(first, () => b.word())
    let now = 0
    for (let step = 0; step < 400; step++) {
      const port = model.rules.from === 0 ? random.below(50) : near()
      let got: unknown, wanted: unknown
      switch (random.below(12)) {
        case 0:
          now += random.pick([1, 50, 99, 100, 1000])
          break
        case 1:
          got = ports.take(port)
          wanted = model.take(port)
          break
        case 2:
          if (!random.oneIn(10)) break
          model.next = port
          ports.setNext(port)
          break
        case 3: {
          if (!random.oneIn(10)) break
          const changed = { ...rules(), from: model.rules.from, to: model.rules.to, first: model.rules.first }
          model.rules = changed
          ports.change(changed)
          break
        }
        case 4: case 5: case 6: {
          const held = [...model.holders.keys()]
          const gone = held.length === 0 || random.oneIn(10) ? port : random.pick(held)
          model.release(gone, now)
          ports.release(gone, now)
          break
        }
        default: {
          const modulus = 2 + random.below(3), begin = near()
          const request: PortRequest = {
            ...(random.oneIn(4) ? { preferred: near() } : {}), ...(random.oneIn(4) ? { from: begin, to: begin + 8 } : {}),
            ...(random.oneIn(3) ? { sharable: (each: number) => each % modulus === 1 } : {}),
          }
          const before = model.holders.size
          wanted = model.allocate(port, now, request)
          got = ports.allocate(port, now, request)
          if (wanted === -1) refused++
          else if (model.holders.size === before) shared++
          else given++
        }
      }
      if (got !== wanted || ports.takenCount !== model.holders.size) {
        t.same([got, ports.takenCount], [wanted, model.holders.size], `seed ${seed}, step ${step}, now ${now}, ${JSON.stringify(model.rules)}`)
        return
      }
    }
    t.same(Array.from({ length: 1200 }, (_, port) => port).filter(port => ports.isTaken(port)), [...model.holders.keys()].sort((x, y) => x - y))
  }
  t.ok(given > 2000 && refused > 1000 && shared > 300, `${given} given, ${refused} refused, ${shared} shared`)
})
