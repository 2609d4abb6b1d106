// The stream over datagrams under everything that a network may do to it, in simulated time.
import t from 'tap'
import { DatagramConnection, KEEP_ALIVE, SILENCE_LIMIT } from '../../../endpoints/datagram-stream/connection.js'
import { RECEIVE_WINDOW } from '../../../endpoints/datagram-stream/incoming.js'
import { MAX_DATAGRAM, decodePacket, encodePacket } from '../../../endpoints/message/datagram.js'
import { CALLED_ID, CALLER_ID, Network, TOKEN, contentOf } from './network.js'
import type { Impairment } from './network.js'

type Test = Pick<typeof t, 'ok'>

const NOTHING = new Uint8Array(0)

/** Both ways at once, and a whole orderly end. */
function carries(t: Test, seed: number, impairment: Impairment, bytes: number): Network {
  const content = { caller: contentOf(bytes, seed), called: contentOf(Math.ceil(bytes / 3), seed + 1) }
  const network = new Network(seed, impairment, content)
  t.ok(network.run(() => network.caller.connection?.isReadOver === true && network.called.connection?.isReadOver === true), 'both ends come')
  t.ok(network.called.bytes.equals(content.caller), 'from the caller to the called')
  t.ok(network.caller.bytes.equals(content.called), 'and back')
  t.ok(network.sent.every(({ datagram }) => datagram.length <= MAX_DATAGRAM), 'no datagram is too large')
  return network
}

const dataOf = ({ sent }: Network) => sent.flatMap(({ datagram }) => {
  const packet = decodePacket(datagram)
  return packet?.kind === 'data' || packet?.kind === 'end' ? [packet] : []
})

t.test('a good path: nothing is sent twice', async t => {
  const network = carries(t, 1, {}, 1_000_000)
  t.ok(network.run(), 'over at both ends')
  t.same([network.caller.connection?.trouble, network.called.connection?.trouble], ['', ''])
  const data = dataOf(network)
  t.equal(new Set(data.map(packet => `${packet.id} ${packet.position}`)).size, data.length)
  t.ok(data.length < 1.1 * 1_333_334 / 1174, 'and packets are full')
  t.ok(network.now < 1_000, `slow start opens the window: ${network.now} ms at a round trip of 20`)
})

t.test('loss from 0 to 40 %, both ways, with reordering, duplication, damage and cuts', async t => {
  for (let seed = 1; seed <= 60; seed++) {
    await t.test(`seed ${seed}`, async t => {
      carries(t, seed, { loss: (seed % 5) / 10, jitter: [0, 5, 40][seed % 3], duplication: 0.05, corruption: 0.03, truncation: 0.03 }, 120_000)
    })
  }
})

t.test('the same seed gives the same run', async t => {
  const run = (): readonly unknown[] => {
    const network = new Network(7, { loss: 0.2, jitter: 30, duplication: 0.1 }, { caller: contentOf(50_000), called: contentOf(9_000) })
    network.run()
    return network.sent
  }
  t.same(run(), run())
})

t.test('reordering alone brings few packets to be sent twice', async t => {
  const network = carries(t, 3, { jitter: 1 }, 500_000)
  t.ok(network.sent.filter(({ from }) => from === 'caller').length < 2_000)
})

t.test('loss is met by fast retransmit, not by waiting', async t => {
  const network = carries(t, 5, { loss: 0.02 }, 1_000_000)
  t.ok(network.now < 20_000, `${Math.round(network.now)} ms`)
})

t.test('where full-sized datagrams do not pass, smaller ones are sent', async t => {
  const network = carries(t, 4, { largest: 600 }, 60_000)
  t.ok(network.sent.filter(({ datagram }) => datagram.length > 600).length < 60)
})

t.test('a reader that takes nothing holds the writer back; memory is bounded; then all comes', async t => {
  const content = contentOf(3 * RECEIVE_WINDOW)
  const network = new Network(1, { loss: 0.1 }, { caller: content, called: NOTHING })
  network.called.reads = false
  t.notOk(network.run(undefined, 300_000), 'stands still')
  const sent = dataOf(network).map(({ position, bytes }) => position + bytes.length)
  t.equal(Math.max(...sent), RECEIVE_WINDOW, 'exactly as much as the receiver said')
  t.equal(network.caller.connection?.state, 'open', 'questions keep it alive')
  t.ok(network.caller.mostHeld <= 256 * 1024 + 32_775)
  network.called.reads = true
  t.ok(network.run(() => network.called.connection?.isReadOver === true))
  t.ok(network.called.bytes.equals(content))
})

t.test('half-close: one end has ended, and the other sends on', async t => {
  const late = contentOf(100_000)
  const network = new Network(1, { loss: 0.1 }, { caller: NOTHING, called: late })
  network.impairment = {}
  t.ok(network.run(() => network.called.connection !== null))
  t.ok(network.run(() => network.caller.connection?.isReadOver === true))
  t.ok(network.caller.bytes.equals(late))
  t.ok(network.run())
})

t.test('opening', async t => {
  await t.test('OPEN and ACCEPT are repeated until they come', async t => {
    const network = new Network(1, { loss: 1 }, { caller: NOTHING, called: NOTHING })
    network.run(undefined, 2_000)
    t.equal(network.caller.connection?.state, 'opening')
    t.equal(network.sent.length, 9)
    network.impairment = { loss: 0.5 }
    t.ok(network.run())
  })
  await t.test('a wrong token is not heard', async t => {
    const network = new Network(1, {}, { caller: NOTHING, called: NOTHING })
    network.caller.connection = DatagramConnection.call(0, CALLER_ID, 'f'.repeat(16))
    t.notOk(network.run(() => network.called.connection !== null, 10_000))
  })
  await t.test('a second caller with the same token is not heard', async t => {
    const network = opened()
    const before = network.sent.length
    network.inject('called', encodePacket({ kind: 'open', id: 'e'.repeat(16), token: TOKEN, limit: 1000 }))
    network.run(undefined, 1_000)
    t.equal(network.sent.length, before)
  })
})

/** A connection that is open and idle. */
function opened(impairment: Impairment = {}): Network {
  const network = new Network(1, impairment, { caller: NOTHING, called: NOTHING })
  for (const end of [network.caller, network.called]) end.use = () => undefined
  network.run(() => network.caller.connection?.state === 'open' && network.called.connection?.state === 'open')
  return network
}

t.test('keep-alive and silence', async t => {
  const network = opened()
  t.notOk(network.run(undefined, 600_000))
  t.equal(network.caller.connection?.state, 'open', 'ten minutes without a byte')
  const gaps = network.sent.filter(({ from }) => from === 'caller').map(({ at }, i, all) => at - (all[i - 1]?.at ?? at))
  t.ok(Math.max(...gaps) <= KEEP_ALIVE, 'what a mapping in a router lives from')
  const from = network.now
  network.impairment = { loss: 1 }
  t.ok(network.run())
  t.ok(network.now - from <= SILENCE_LIMIT)
  t.equal(network.caller.connection?.trouble, 'the other end has fallen silent')
})

t.test('an ICMP error is believed when silence follows, and not when an answer comes', async t => {
  const network = opened()
  network.caller.connection?.unreachable(network.now)
  t.notOk(network.run(() => network.caller.isOver, 10_000))
  network.impairment = { loss: 1 }
  const from = network.now
  network.caller.connection?.unreachable(network.now)
  t.ok(network.run(() => network.caller.isOver))
  t.equal(network.now - from, 3_000)
})

t.test('a reset ends the other end at once', async t => {
  const network = opened()
  network.called.connection?.reset()
  t.ok(network.run(undefined, 1_000))
  t.equal(network.caller.connection?.trouble, 'it was reset by the other end')
  t.equal(network.called.connection?.trouble, '')
})

t.test('what nobody reads any more is thrown away, and what was written still goes out', async t => {
  const network = opened({ loss: 0.2 })
  const content = contentOf(100_000)
  network.called.connection?.write(content)
  network.called.connection?.end()
  network.called.connection?.abandon(network.now)
  const got: Uint8Array[] = []
  let hasEnded = false
  network.caller.use = now => {
    for (let bytes = network.caller.connection?.read(now); bytes; bytes = network.caller.connection?.read(now)) got.push(bytes)
    if (!network.caller.connection?.isReadOver || hasEnded) return
    hasEnded = true
    network.caller.connection.end()
    network.caller.connection.abandon(now)
  }
  t.ok(network.run(undefined, 60_000))
  t.ok(Buffer.concat(got).equals(content))
})

t.test('strangers, garbage and repeats', async t => {
  await t.test('nothing that lacks the ID does anything', async t => {
    const network = opened()
    const before = network.sent.length
    const other = 'e'.repeat(16)
    for (const packet of [
      { kind: 'reset', id: other }, { kind: 'data', id: other, number: 1, position: 0, bytes: Uint8Array.of(1) },
      { kind: 'end', id: other, number: 2, position: 0, bytes: NOTHING }, { kind: 'accept', id: other, ownId: other, limit: 5 },
      { kind: 'acknowledgement', id: other, largest: 1, position: 0, limit: 9, ranges: [] },
    ] as const) for (const to of ['caller', 'called'] as const) network.inject(to, encodePacket(packet))
    network.run(undefined, 1_000)
    t.equal(network.sent.length, before, 'no answer')
    t.equal(network.caller.connection?.state, 'open')
    t.equal(network.called.connection?.read(network.now), null)
  })
  await t.test('acknowledgements of what was never sent are ignored', async t => {
    const network = opened()
    const { connection } = network.caller
    connection?.write(contentOf(5_000))
    network.inject('caller', encodePacket({ kind: 'acknowledgement', id: CALLER_ID, largest: 99, position: 5_000, limit: 9e6, ranges: [] }))
    network.inject('caller', encodePacket({ kind: 'acknowledgement', id: CALLER_ID, largest: 0, position: 5_000, limit: 9e6, ranges: [] }))
    t.equal(connection?.held, 5_000)
  })
  await t.test('a whole conversation replayed changes nothing', async t => {
    const content = contentOf(30_000)
    const network = new Network(1, {}, { caller: content, called: NOTHING })
    network.run(() => network.called.received.length > 20)
    for (const { from, datagram } of [...network.sent]) network.inject(from === 'caller' ? 'called' : 'caller', datagram)
    t.ok(network.run())
    t.ok(network.called.bytes.equals(content))
  })
  await t.test('an end that moves is a fault', async t => {
    const network = opened()
    const end = (position: number) => encodePacket({ kind: 'end', id: CALLED_ID, number: position + 1, position, bytes: NOTHING })
    network.inject('called', end(10))
    network.inject('called', end(12))
    t.match(network.called.connection?.trouble, /contradicts itself/)
    t.ok(network.run(undefined, 1_000), 'the other end is told')
  })
  await t.test('pieces behind holes are bounded in number', async t => {
    const network = opened()
    for (let at = 0; at < 200_000; at += 2) network.inject('called', encodePacket({ kind: 'data', id: CALLED_ID, number: at + 1, position: at + 1, bytes: Uint8Array.of(at) }))
    network.inject('called', encodePacket({ kind: 'data', id: CALLED_ID, number: 200_001, position: 0, bytes: Uint8Array.of(7) }))
    const read: number[] = []
    for (let bytes = network.called.connection?.read(0); bytes; bytes = network.called.connection?.read(0)) read.push(...bytes)
    t.same(read, [7, 0], 'as far as there is no hole')
    const ranges = network.called.connection?.transmit(network.now)
    const packet = ranges ? decodePacket(ranges) : null
    t.equal(packet?.kind === 'acknowledgement' && packet.ranges.length, 32)
  })
})
