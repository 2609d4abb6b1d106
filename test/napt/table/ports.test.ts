// Port pools: each rule of allocation as a table, sharing, resting, and what a refusal costs.
import t from 'tap'
import { PortPool, type PortRequest, type PortRules } from '../../../napt/table/ports.js'
import { Random } from '../random.js'

const RULES: PortRules = { allocation: 'sequential', collision: 'sequential', parity: false, keepWellKnown: false, first: 1024, from: 1, to: 65535, reuseDelay: 0 }
const ICMP: Partial<PortRules> = { from: 0, first: 0 }
const never = (): number => { throw new Error('no random number is wanted here') }
const pool = (rules: Partial<PortRules>, random = never): PortPool => new PortPool({ ...RULES, ...rules }, random)
const allocate = (from: PortPool, ...wanted: number[]): number[] => wanted.map(port => from.allocate(port, 0))
const times = (count: number, wanted = 2000): number[] => Array.from({ length: count }, () => wanted)
/** The random number by which a range of `size` ports is entered `offset` ports behind its beginning. */
const entering = (offset: number, size: number) => (): number => Math.floor((offset + 0.5) / size * 2 ** 32)

interface Case {
  readonly rules: Partial<PortRules>
  readonly random?: () => number
  readonly taken?: readonly number[]
  readonly setNext?: number
  readonly request?: PortRequest
  readonly wanted: readonly number[]
  readonly got: readonly number[]
}

const range = { from: 20000, to: 20003 }
const CASES: Readonly<Record<string, Case>> = {
  'sequential: from the first port upwards': { rules: { first: 3400 }, wanted: times(3), got: [3400, 3401, 3402] },
  'sequential: the numbers of Fig. 12 and Fig. 8B': { rules: { first: 3400 }, setNext: 2400, wanted: [2000, 2600], got: [2400, 2401] },
  'sequential: taken ports are passed over': { rules: { first: 3400 }, taken: [3400, 3402], wanted: times(2), got: [3401, 3403] },
  'sequential: after 65535 comes 1024': { rules: { first: 65534 }, wanted: times(4), got: [65534, 65535, 1024, 1025] },
  'sequential: a first port below 1024 is meant': { rules: { first: 80 }, wanted: times(2), got: [80, 81] },
  'sequential: from below 1024 the search still gets round to 65535': {
    rules: {}, setNext: 80, taken: Array.from({ length: 65535 - 80 }, (_, i) => 80 + i), wanted: times(2), got: [65535, -1],
  },
  'sequential: a first port outside of the range is not given': { rules: { ...range, first: 1024 }, wanted: times(5), got: [20000, 20001, 20002, 20003, -1] },
  'sequential: nor is one above': { rules: { ...range, first: 30000 }, wanted: times(1), got: [20000] },
  'sequential: a range below 1024 is used': { rules: { from: 10, to: 12, first: 1024 }, wanted: times(4), got: [10, 11, 12, -1] },
  'ICMP identifiers begin at 0': { rules: ICMP, wanted: times(3), got: [0, 1, 2] },
  'ICMP identifiers go round to 0': { rules: { ...ICMP, first: 65535 }, wanted: times(2), got: [65535, 0] },
  'ICMP identifiers are never well-known': { rules: { ...ICMP, keepWellKnown: true, first: 1022 }, wanted: times(3), got: [1022, 1023, 1024] },
  'ICMP: preserve keeps identifier 0': { rules: { ...ICMP, allocation: 'preserve', first: 7 }, wanted: [0, 0], got: [0, 7] },

  'preserve: the wanted port where it is free, else the next one': { rules: { allocation: 'preserve', first: 5000 }, wanted: times(3), got: [2000, 5000, 5001] },
  'preserve: well-known ports too': { rules: { allocation: 'preserve' }, wanted: [80, 80], got: [80, 1024] },
  'preserve: source port 0 is nobody\'s': { rules: { allocation: 'preserve' }, wanted: [0], got: [1024] },
  'preserve: nothing outside of the range': { rules: { ...range, allocation: 'preserve' }, wanted: [2000, 20002, 20002], got: [20000, 20002, 20001] },
  'preserve or refuse': { rules: { allocation: 'preserve', collision: 'refuse' }, wanted: [2000, 2000, 2001, 0], got: [2000, -1, 2001, -1] },
  'preserve, else random': { rules: { ...range, allocation: 'preserve', collision: 'random' }, random: entering(3, 4), wanted: times(3, 20001), got: [20001, 20003, 20000] },

  'random: a uniform beginning, then the next free one': { rules: { ...range, allocation: 'random' }, random: entering(2, 4), wanted: times(5), got: [20002, 20003, 20000, 20001, -1] },
  'random: 1024 is the lowest': { rules: { allocation: 'random' }, random: () => 0, wanted: times(2, 80), got: [1024, 1025] },
  'random: 65535 is the highest': { rules: { allocation: 'random' }, random: () => 2 ** 32 - 1, wanted: times(2), got: [65535, 1024] },

  'well-known: below 1024 for below 1024, each with a place of its own': { rules: { keepWellKnown: true, first: 3400 }, wanted: [80, 2000, 81, 2000], got: [1, 3400, 2, 3401] },
  'well-known: preserve': { rules: { keepWellKnown: true, allocation: 'preserve', first: 3400 }, wanted: [80, 80, 1023, 1024, 1024], got: [80, 1, 1023, 1024, 3400] },
  'well-known: a first port below 1024 is theirs': { rules: { keepWellKnown: true, first: 80 }, wanted: [2000, 53], got: [1024, 80] },
  'well-known: exhausted': { rules: { keepWellKnown: true, from: 1022, to: 1025 }, wanted: [80, 80, 80, 2000, 2000, 2000], got: [1022, 1023, -1, 1024, 1025, -1] },
  'well-known: random': { rules: { keepWellKnown: true, allocation: 'random' }, random: () => 0, wanted: [80, 2000], got: [1, 1024] },
  'well-known: a range without them serves all': { rules: { ...range, keepWellKnown: true }, wanted: [80, 2000], got: [20000, 20001] },
  'well-known: a range of only them serves all': { rules: { keepWellKnown: true, from: 10, to: 12 }, wanted: [80, 2000], got: [10, 11] },

  'parity: even for even, odd for odd': { rules: { parity: true, first: 3400 }, wanted: [2000, 2000, 2001, 2001], got: [3400, 3402, 3403, 3405] },
  'parity: either when all else fails': { rules: { ...range, parity: true }, wanted: [2001, 2001, 2001, 2001, 2001], got: [20001, 20003, 20000, 20002, -1] },
  'parity: random': { rules: { ...range, parity: true, allocation: 'random' }, random: entering(1, 4), wanted: [2000, 2001, 2000], got: [20002, 20001, 20000] },

  'contiguity: the preferred port first': { rules: { allocation: 'preserve' }, request: { preferred: 3401 }, wanted: [2001, 2001], got: [3401, 2001] },
  'contiguity: not outside of the range': { rules: range, request: { preferred: 20004 }, wanted: [2001], got: [20000] },
  'contiguity: not out of the well-known ports': { rules: { keepWellKnown: true, first: 3400 }, request: { preferred: 1023 }, wanted: [2001], got: [3400] },
  'contiguity: not against parity': { rules: { parity: true, first: 3400 }, request: { preferred: 3500 }, wanted: [2001, 2000], got: [3401, 3500] },
  'contiguity: no collision is met, so nothing is refused': { rules: { allocation: 'preserve', collision: 'refuse' }, taken: [2001], request: { preferred: 3401 }, wanted: times(2, 2001), got: [3401, -1] },

  'a block: only its ports': { rules: { first: 3400 }, request: { from: 5000, to: 5001 }, wanted: times(3), got: [5000, 5001, -1] },
  'a block: sequential goes on where the block holds the next port': { rules: { first: 5001 }, request: { from: 5000, to: 5002 }, wanted: times(4), got: [5001, 5002, 5000, -1] },
  'a block: preserve keeps to it': { rules: { allocation: 'preserve' }, request: { from: 5000, to: 5009 }, wanted: [5003, 2000], got: [5003, 5000] },
  'a block: cut by the range': { rules: range, request: { from: 19000, to: 20000 }, wanted: times(2), got: [20000, -1] },
  'a block: outside of the range there is none': { rules: range, request: { from: 5000, to: 5009 }, wanted: [5000], got: [-1] },
  'a block: random': { rules: { allocation: 'random' }, random: entering(1, 2), request: { from: 5000, to: 5001 }, wanted: times(3), got: [5001, 5000, -1] },

  'sharing: preserve shares the wanted port': { rules: { allocation: 'preserve' }, taken: [2000], request: { sharable: () => true }, wanted: times(2), got: [2000, 2000] },
  'sharing: preserve asks about the wanted port': { rules: { allocation: 'preserve' }, taken: [2000, 2001], request: { sharable: port => port === 2001 }, wanted: [2000, 2001], got: [1024, 2001] },
  'sharing: otherwise free ports come first, then those in turn': { rules: range, taken: [20001], request: { sharable: () => true }, wanted: times(6), got: [20000, 20002, 20003, 20000, 20001, 20002] },
  'sharing: only where it is allowed': { rules: range, taken: [20000, 20001, 20002, 20003], request: { sharable: port => port === 20002 }, wanted: times(2), got: [20002, 20002] },
  'sharing: refused by all': { rules: range, taken: [20000, 20001, 20002, 20003], request: { sharable: () => false }, wanted: times(2), got: [-1, -1] },
  'sharing: parity before freedom': { rules: { ...range, parity: true }, taken: [20000, 20002], request: { sharable: () => true }, wanted: [2000, 2001], got: [20000, 20001] },
  'sharing: random': { rules: { ...range, allocation: 'random' }, random: entering(2, 4), taken: [20000, 20001, 20002, 20003], request: { sharable: port => port !== 20002 }, wanted: times(1), got: [20003] },
}

for (const [name, { rules, random, taken = [], setNext, request, wanted, got }] of Object.entries(CASES)) {
  t.test(name, async t => {
    const ports = pool(rules, random)
    for (const port of taken) ports.take(port)
    if (setNext !== undefined) ports.setNext(setNext)
    t.same(wanted.map(port => ports.allocate(port, 0, request)), got)
    t.equal(ports.takenCount, new Set([...taken, ...got.filter(port => port !== -1)]).size)
  })
}

t.test('given ports are taken once, inside the range or not; released ones come when their turn does', async t => {
  const ports = pool({ first: 3400, to: 4000 })
  t.ok(ports.take(3401))
  t.notOk(ports.take(3401), 'twice')
  t.ok(ports.take(5000))
  t.same(allocate(ports, ...times(2)), [3400, 3402])
  ports.release(3400, 0)
  t.notOk(ports.isTaken(3400))
  t.same(allocate(ports, ...times(1)), [3403], 'not the released one: the next')
  ports.release(3400, 0)
  t.equal(ports.takenCount, 4, 'a second release changes nothing')
})

t.test('within a block too, a released port is not the next', async t => {
  const ports = pool({}), block = { from: 5000, to: 5009 }
  t.equal(ports.allocate(1, 0, block), 5000)
  ports.release(5000, 0)
  t.equal(ports.allocate(1, 0, block), 5001)
})

t.test('exhaustion, and the one port that was released', async t => {
  const ports = pool({ first: 3400 })
  const all = allocate(ports, ...times(65536 - 1024))
  t.equal(new Set(all).size, 65536 - 1024)
  t.same([Math.min(...all), Math.max(...all)], [1024, 65535])
  t.same(allocate(ports, 0), [-1])
  ports.release(3399, 0)
  t.same(allocate(ports, 0, 0), [3399, -1])
  ports.setNext(1000)
  t.same(allocate(ports, 0), [1000], 'a port below 1024, if that is meant')
})

t.test('random ports are spread over the range, and the same seed gives the same', async t => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed)
    return allocate(pool({ allocation: 'random' }, () => random.word()), ...times(6000))
  }
  const ports = draw(1)
  t.equal(ports.join(), draw(1).join())
  t.not(ports.join(), draw(2).join())
  const perSixth = new Array<number>(6).fill(0)
  for (const port of ports) perSixth[Math.floor((port - 1024) / (65536 - 1024) * 6)]++
  t.ok(perSixth.every(count => count > 850 && count < 1150), perSixth.join(' '))
})

t.test('other rules hold for what comes; taken ports stay taken, and sequential goes on', async t => {
  const ports = pool({ first: 3400 })
  allocate(ports, ...times(2))
  ports.change({ ...ports.rules, allocation: 'preserve' })
  t.same(allocate(ports, 3400, 2000), [3402, 2000])
  ports.change({ ...ports.rules, from: 3401, to: 3403, first: 3401 })
  t.same(allocate(ports, 2000, 2000), [3403, -1], 'a new first port counts')
  t.ok(ports.isTaken(2000))
  ports.change(RULES)
  t.same(allocate(ports, 2000), [1024])
})

t.test('holders of a shared port', async t => {
  const ports = pool({ allocation: 'preserve', collision: 'refuse', reuseDelay: 1000 }), sharable = (): boolean => true
  t.same([1, 2, 3].map(() => ports.allocate(2000, 0, { sharable })), [2000, 2000, 2000])
  t.equal(ports.takenCount, 1)
  t.equal(ports.allocate(2000, 0), -1, 'who does not share gets none')
  t.notOk(ports.take(2000))
  ports.release(2000, 10)
  ports.release(2000, 20)
  t.ok(ports.isTaken(2000))
  ports.release(2000, 30)
  t.notOk(ports.isTaken(2000))
  t.equal(ports.allocate(2000, 1029, { sharable }), -1, 'it rests from the last holder on, and who rests is not shared')
  t.equal(ports.allocate(2000, 1030), 2000)
})

t.test('a question about sharing may release the port', async t => {
  for (const reuseDelay of [0, 100]) {
    const ports = pool({ ...range, to: 20001, reuseDelay })
    allocate(ports, 2000, 2000)
    const sharable = (port: number): boolean => {
      if (port === 20000) ports.release(port, 10)
      return true
    }
    t.equal(ports.allocate(2000, 10, { sharable }), reuseDelay === 0 ? 20000 : 20001, 'free at once, or it rests and the next one is shared')
    t.equal(ports.takenCount, reuseDelay === 0 ? 2 : 1)
    t.same([109, 110, 110].map(now => ports.allocate(2000, now)), reuseDelay === 0 ? [-1, -1, -1] : [-1, 20000, -1])
  }
})

t.test('a port has 65535 holders at most', async t => {
  const ports = pool({ allocation: 'preserve', collision: 'refuse' }), request = { sharable: (): boolean => true }
  for (let holder = 0; holder < 65535; holder++) ports.allocate(2000, 0, request)
  t.equal(ports.allocate(2000, 0, request), -1)
  ports.release(2000, 0)
  t.equal(ports.allocate(2000, 0, request), 2000)
})

t.test('a released port rests, to the millisecond', async t => {
  const ports = pool({ ...range, reuseDelay: 120_000 })
  allocate(ports, ...times(4))
  ports.release(20002, 1000)
  ports.release(20001, 5000)
  t.notOk(ports.isTaken(20002))
  t.equal(ports.takenCount, 2)
  t.equal(ports.allocate(2000, 120_999), -1)
  t.equal(ports.allocate(2000, 121_000), 20002)
  t.equal(ports.allocate(2000, 124_999), -1)
  t.equal(ports.allocate(2000, 86_400_000), 20001, 'after a jump of the clock')
})

t.test('a resting port may be taken, and rests anew when it is released', async t => {
  for (const port of [20000, 20001, 20002]) {
    const ports = pool({ ...range, to: 20002, reuseDelay: 100 })
    allocate(ports, ...times(3))
    for (const each of [20000, 20001, 20002]) ports.release(each, each - 20000)
    t.ok(ports.take(port), 'the first, the middle and the last to rest')
    ports.release(port, 50)
    const got = [100, 101, 102, 149, 150].map(now => ports.allocate(2000, now))
    t.same(got.map((each, i) => each === -1 ? '' : `${each}@${[100, 101, 102, 149, 150][i]}`).filter(Boolean).sort(),
      [20000, 20001, 20002].map(each => `${each}@${each === port ? 150 : each - 20000 + 100}`))
  }
})

t.test('a new resting time is that of the resting ports as well', async t => {
  const ports = pool({ ...range, to: 20000, reuseDelay: 1000 })
  const turn = (): void => {
    ports.allocate(2000, 0)
    ports.release(20000, 0)
  }
  turn()
  ports.change({ ...ports.rules, reuseDelay: 10 })
  t.equal(ports.allocate(2000, 9), -1)
  t.equal(ports.allocate(2000, 10), 20000)
  ports.release(20000, 10)
  ports.change({ ...ports.rules, reuseDelay: 0 })
  t.equal(ports.allocate(2000, 10), 20000, 'none at all')
})

/** Makes something whose typed arrays count how often an element is read. */
function counted<T>(make: () => T): { made: T, reads: () => number } {
  let reads = 0
  const counting = <C extends Int32ArrayConstructor | Uint16ArrayConstructor>(constructor: C): C => new Proxy(constructor, {
    construct: (target, args: unknown[]) => new Proxy(Reflect.construct(target, args) as Int32Array, {
      get: (array, key) => {
        if (typeof key === 'string' && !Number.isNaN(Number(key))) reads++
        const value: unknown = Reflect.get(array, key)
        return typeof value === 'function' ? value.bind(array) as unknown : value
      },
      set: (array, key, value) => Reflect.set(array, key, value),
    }),
  })
  const { Int32Array: words, Uint16Array: halves } = globalThis
  Object.assign(globalThis, { Int32Array: counting(words), Uint16Array: counting(halves) })
  try {
    return { made: make(), reads: () => reads }
  } finally {
    Object.assign(globalThis, { Int32Array: words, Uint16Array: halves })
  }
}

t.test('an exhausted pool refuses after some dozens of looks, whatever the rules', async t => {
  for (const allocation of ['sequential', 'random', 'preserve'] as const) for (const parity of [false, true]) for (const reuseDelay of [0, 1e6]) {
    const random = new Random(1)
    const { made: ports, reads } = counted(() => pool({ allocation, parity, reuseDelay, first: 40_000 }, () => random.word()))
    for (let port = 1024; port <= 65535; port++) ports.take(port)
    for (let port = 1024; port <= 65535; port += 3) if (reuseDelay > 0) ports.release(port, 0)
    // Some free ports that may not be given: below 1024.
    t.equal(ports.allocate(2000, 0), -1)
    const before = reads()
    for (let refused = 0; refused < 100; refused++) ports.allocate(2000 + refused, 1)
    const each = (reads() - before) / 100
    t.ok(each > 10 && each < 500, `${allocation}${parity ? ', parity' : ''}, ${reuseDelay} ms: ${each} looks`)
  }
})

t.test('a refusal asks about 128 shared ports of a parity at most, and sequentially the next one about others', async t => {
  for (const parity of [false, true]) {
    const ports = pool({ parity })
    for (let port = 1024; port <= 65535; port++) ports.take(port)
    let asked = 0
    const allowed = 1024 + 1000
    const sharable = (port: number): boolean => {
      asked++
      return port === allowed
    }
    t.equal(ports.allocate(2000, 0, { sharable }), -1)
    t.ok(asked >= 128 && asked <= 256, `${asked} questions`)
    let got = -1
    for (let tries = 0; tries < 10 && got === -1; tries++) got = ports.allocate(2000, 0, { sharable })
    t.equal(got, allowed)
  }
})
