// From router records to ladder packets: names, hops, one line for a packet that crosses two routers, in any order of arrival.
import t from 'tap'
import { parseEndpoint, parseIpv4 } from '../../../napt/wire/address.js'
import { icmpFrame, udpFrame } from '../../../napt/wire/frame.js'
import * as udp from '../../../napt/wire/udp.js'
import { Correlator, FIG1_TOPOLOGY, figureLayouts, foldRepeats, type LadderEntry, type RouterRecord } from '../../../captures/index.js'
import { MOST_PENDING_BYTES } from '../../../captures/ladder/correlate.js'
import { FREEDOM, recordsOf, run, testDecoder } from '../support.js'

const options = { decoder: testDecoder, figures: figureLayouts() }
const all = (records: readonly RouterRecord[]): LadderEntry[] => {
  const correlator = new Correlator(FIG1_TOPOLOGY, options)
  return [...records.flatMap(record => correlator.push(record)), ...correlator.flush()]
}
const line = (entry: LadderEntry): string => entry.kind === 'step' ? `${entry.lane} ${entry.name}`
  : [entry.title, [entry.hops[0]?.from, ...entry.hops.map(hop => hop.to)].join(' '), entry.hops.map(hop => hop.label).join(' '), entry.figures.map(({ figure, ok }) => figure + (ok ? '✓' : '✗')).join(' ')].filter(Boolean).join(' | ')
const shown = (entries: readonly LadderEntry[]): string[] => foldRepeats(entries.filter(entry => entry.kind === 'step' || !entry.isDetail)).map(line)

t.test('what hosts on the WAN say to each other stands in its place, though no router saw it', async t => {
  const correlator = new Correlator({ ...FIG1_TOPOLOGY, hosts: [...FIG1_TOPOLOGY.hosts, { name: '12', address: '8.117.12.109' }] }, options)
  const frame = udpFrame(parseEndpoint('8.117.12.109:9000'), parseEndpoint('130.74.23.6:9001'), new Uint8Array(3))
  const step = { kind: 'step', time: 1000n, lane: '101', name: 'S1', note: '' } as const
  const entries = [...correlator.step(step), ...correlator.overhear({ time: 999n, frame }), ...correlator.flush()]
  t.same(entries.map(line), ['udp 8.117.12.109:9000 → 130.74.23.6:9001, 3 bytes | 12 101 | 9000→9001', '101 S1'])
})

const RUN = [
  '201 equipment registration | 103 104b 101 | 2000→1200 3400→1200 | 7A✓ 7B✓',
  '211 TCP connection start | 102 104a 101 | 1500→1201 7000→1201',
  '217 connection request | 102 104a 101 | 1500→1201 7000→1201 | 7C✓ 7D✓',
  '205 connection request notification | 101 104b 103 | 1200→3400 1200→2000 | 8A✓ 8B✓',
  '221 TCP connection start | 103 104b 101 | 2600→1300 2401→1300',
  '226 connection request | 101 104b 103 | 1300→2401 1300→2600 | 8C✓ 8D✓',
  '208 TCP connection start | 103 104b 104a 102 | 40000→5000 2402→5000 2402→1600',
  'S209 data | 103 104b 104a 102 | 40000→5000 2402→5000 2402→1600',
  'S209 data | 102 104a 104b 103 | 1600→2402 5000→2402 5000→40000',
  'TCP close of 208 | 103 104b 104a 102 | 40000→5000 2402→5000 2402→1600',
  'TCP close of 208 | 102 104a 104b 103 | 1600→2402 5000→2402 5000→40000',
  'TCP close of 221 | 103 104b 101 | 2600→1300 2401→1300',
  'TCP close of 221 | 101 104b 103 | 1300→2401 1300→2600',
  'TCP close of 211 | 102 104a 101 | 1500→1201 7000→1201',
  'TCP close of 211 | 101 104a 102 | 1201→7000 1201→1500',
]

t.test('the run of Fig. 2, a line a packet', async t => {
  const records = recordsOf()
  t.same(shown(all(records)), RUN)
  t.equal(all(records).length, run().length, 'and acknowledgements as details')
})

t.test('records in any order within the window give the same', async t => {
  const records = recordsOf()
  const wanted = shown(all(records))
  const of = (router: string): RouterRecord[] => records.filter(record => record.router === router)
  for (const batch of [2, 5, 9]) { // each router's records come in batches, as they would over a socket
    const a = of('104a'), b = of('104b'), mixed: RouterRecord[] = []
    while (a.length + b.length > 0) mixed.push(...b.splice(0, batch), ...a.splice(0, batch))
    const correlator = new Correlator(FIG1_TOPOLOGY, { ...options, window: 10_000_000_000n })
    t.same(shown([...mixed.flatMap(record => correlator.push(record)), ...correlator.flush()]), wanted)
  }
  const skewed = records.map(record => record.router === '104a' ? { ...record, time: record.time - 200_000n } : record)
  t.same(shown(all(skewed)), wanted, 'and a clock that is 0.2 ms behind')
})

t.test('live: an entry comes when the window has passed, by records or by the clock', async t => {
  const correlator = new Correlator(FIG1_TOPOLOGY, { ...options, window: 5_000_000n })
  const records = recordsOf(), start = FREEDOM.start
  t.same(correlator.push(records[0]), [])
  t.same(correlator.advance(start + 4_999_999n), [])
  t.equal(correlator.advance(start + 5_000_000n).length, 1)
  const s202 = { kind: 'step', time: start + 1n, lane: '101', name: 'S202', note: '' } as const
  t.same(correlator.step(s202), [])
  t.same(correlator.push({ ...records[1], time: start + 5_000_001n }), [s202])
  t.equal(correlator.flush().length, 1)
  t.same(correlator.flush(), [])
})

t.test('by the clock alone: a newer record lets nothing go, for others may lie unread', async t => {
  const correlator = new Correlator(FIG1_TOPOLOGY, { ...options, window: 5_000_000n, isByClock: true })
  const [first, second] = recordsOf()
  t.same([...correlator.push(first), ...correlator.push({ ...second, time: first.time + 1_000_000_000n })], [])
  t.equal(correlator.advance(first.time + 5_000_000n).length, 1)
})

t.test('half of a packet through two routers waits ten windows for the other router, which may be busy', async t => {
  const [first, second] = recordsOf().filter(record => shown(all([record])).some(text => text.startsWith('208')))
  t.not(first.router, second.router)
  const late = new Correlator(FIG1_TOPOLOGY, { ...options, window: 5_000_000n })
  t.same(late.push(first), [])
  t.same(late.advance(first.time + 49_999_999n), [])
  t.same([...late.push(second), ...late.flush()].map(line), ['208 TCP connection start | 103 104b 104a 102 | 40000→5000 2402→5000 2402→1600'])
  const never = new Correlator(FIG1_TOPOLOGY, { ...options, window: 5_000_000n })
  t.same(never.push(first), [])
  t.equal(never.advance(first.time + 50_000_000n).length, 1, 'and is shown by itself then')
})

t.test('records for which no partner comes: what waits is bounded in bytes, what waited longest is shown alone, and a pair that is there goes together', async t => {
  const correlator = new Correlator(FIG1_TOPOLOGY, { ...options, isByClock: true }), count = 6000, [from, mapped, called, to] = ['192.168.1.3:2600', '202.204.16.13:2402', '4.17.168.2:5000', '192.168.1.11:1600'].map(parseEndpoint)
  const onLan = udpFrame(from, called, new Uint8Array(4000)), onWan = udpFrame(mapped, called, new Uint8Array(4000))
  const recordOf = (number: number): RouterRecord => {
    const [received, sent] = [onLan, onWan].map(frame => {
      const bytes = frame.slice()
      new DataView(bytes.buffer).setUint32(100, number)
      return bytes
    })
    return { router: '104b', time: BigInt(number), from: 'lan', received, verdict: { action: 'forward' }, sent: { side: 'wan', frame: sent } }
  }
  const first = recordOf(0), entries = [...correlator.push(first), ...correlator.push({
    router: '104a', time: 1n, from: 'wan', received: first.sent!.frame, verdict: { action: 'forward' }, sent: { side: 'lan', frame: udpFrame(mapped, to, new Uint8Array(4000)) },
  })]
  let most = 0
  for (let number = 1; number < count; number++) {
    entries.push(...correlator.push(recordOf(number)))
    most = Math.max(most, correlator.waitingBytes)
  }
  t.ok(most <= MOST_PENDING_BYTES && most > MOST_PENDING_BYTES * 0.99, `${most} bytes`)
  t.match(entries[0], { hops: { length: 3 } }, 'the pair')
  t.equal(entries.slice(1).filter(entry => entry.kind === 'packet' && entry.hops.length === 2).length, entries.length - 1, 'the others, up to the second router')
  t.equal(correlator.early, entries.length - 1)
  t.equal(entries.length + correlator.flush().length, count, 'none is lost')
  t.equal(correlator.waitingBytes, 0)
})

t.test('a packet that the second router drops', async t => {
  const [first] = recordsOf().filter(record => record.router === '104b' && record.sent?.side === 'wan').slice(-1)
  const syn = recordsOf().find(record => record.router === '104b' && line(all([record])[0]).startsWith('208'))!
  const drop: RouterRecord = { router: '104a', time: syn.time, from: 'wan', received: syn.sent!.frame, verdict: { action: 'drop', reason: 'no mapping' } }
  t.match(all([syn, drop]), [{ title: '208 TCP connection start', hops: [{ to: '104b' }, { from: '104b', to: '104a' }], drop: { lane: '104a', reason: 'no mapping' } }])
  t.equal(all([syn, drop]).length, 1)
  t.equal(all([drop, { ...first, time: first.time + 1n }]).length, 2, 'another packet is not its partner')
})

t.test('a checksum that the card finishes between the routers', async t => {
  const A = parseEndpoint('202.204.16.13:2402'), B = parseEndpoint('4.17.168.2:5000'), payload = Uint8Array.of(1, 2, 3)
  const out = udpFrame(A, B, payload)
  const partial = Uint8Array.from(out)
  const sum = udp.partialChecksum(partial, 14, 34)
  partial.set([sum >> 8, sum & 255], 40)
  t.equal(all([
    { router: '104b', time: 1n, from: 'lan', received: udpFrame(parseEndpoint('192.168.1.3:9'), B, payload), verdict: { action: 'forward' }, sent: { side: 'wan', frame: partial } },
    { router: '104a', time: 2n, from: 'wan', received: out, verdict: { action: 'forward' }, sent: { side: 'lan', frame: udpFrame(A, parseEndpoint('192.168.1.11:1600'), payload) } },
  ]).length, 1)
})

t.test('answers, strangers and frames that are no packets', async t => {
  const host = parseIpv4('192.168.1.3'), router = parseIpv4('192.168.1.1')
  const ping = icmpFrame(host, router, { type: 8 }), pong = icmpFrame(router, host, { type: 0 })
  t.same(all([{ router: '104b', time: 1n, from: 'lan', received: ping, verdict: { action: 'answer' }, sent: { side: 'lan', frame: pong } }]).map(line),
    ['icmp 192.168.1.3 → 192.168.1.1, echo request | 103 104b | echo request', 'icmp 192.168.1.1 → 192.168.1.3, echo reply | 104b 103 | echo reply'])
  const stranger = udpFrame(parseEndpoint('8.117.12.109:9000'), parseEndpoint('202.204.16.13:3400'), Uint8Array.of(1))
  t.match(all([{ router: '104b', time: 1n, from: 'wan', received: stranger, verdict: { action: 'drop' } }]),
    [{ title: 'udp 8.117.12.109:9000 → 202.204.16.13:3400, 1 bytes', hops: [], drop: { lane: '104b', reason: 'no reason was given' } }])
  for (const received of [new Uint8Array(0), new Uint8Array(20), stranger.subarray(0, 30)]) {
    t.match(all([{ router: '104b', time: 1n, from: 'wan', received, verdict: { action: 'drop', reason: 'malformed' } }]), [{ drop: { reason: 'malformed' } }])
  }
})
