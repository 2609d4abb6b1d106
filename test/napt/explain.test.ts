// Explanations in words: one of each kind, made by hand, as people read them; and as JSON and back.
import t from 'tap'
import { decode } from '../../captures/decode/decode.js'
import { summarize, summarizeEnds } from '../../captures/decode/summary.js'
import { eventToRecord, recordToEvent } from '../../napt/control/frame-event.js'
import { duration } from '../../napt/duration.js'
import { explain } from '../../napt/trace/explain.js'
import type { Explanation } from '../../napt/trace/explanation.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import type { DropReason, Side } from '../../napt/verdict.js'
import { parseIpv4, type Endpoint, type Port } from '../../napt/wire/address.js'
import { arpRequest, ping, tcp, udp } from './frames.js'
import { MACS } from './router-bench.js'

const WORDS = { summarize: (frame: Uint8Array): string => summarize(decode(frame)), ends: (frame: Uint8Array): string => summarizeEnds(decode(frame)) }
const told = (record: TraceRecord, full = true): string => explain(record, '104b', WORDS, { full }).join('\n')

/** The lines below the first, as they stand between the two backticks of a test. */
const lines = (text: string): string => text.replace(/^\n/, '').replace(/\n *$/, '').replace(/^ {4}/gm, '')

const at = (text: string): Endpoint => {
  const [address, port = '0'] = text.split(':')
  return { address: parseIpv4(address), port: Number(port) as Port }
}
const MAPPING = { protocol: 'udp', kind: 'dynamic', lan: at('192.168.1.3:2000'), wan: at('202.204.16.13:3400'), dependence: 'endpoint-independent', isNew: false } as const
const SERVER = at('130.74.23.6:1200'), STRANGER = at('8.117.12.109:9000')
const FILTER = { dependence: 'address-and-port-dependent', remote: SERVER, sentTo: [SERVER], sessions: 1 } as const

const forwarded = (from: Side, received: Uint8Array, sent: Uint8Array, explanation?: Explanation): TraceRecord => ({
  time: 1n, action: 'forward', received: { side: from, frame: received }, sent: { side: from === 'lan' ? 'wan' : 'lan', frame: sent },
  ...(explanation === undefined ? {} : { explanation }),
})
const dropped = (from: Side, reason: DropReason, frame: Uint8Array, explanation?: Explanation): TraceRecord => ({
  time: 1n, action: 'drop', reason, received: { side: from, frame }, ...(explanation === undefined ? {} : { explanation }),
})

const OUT = udp('192.168.1.3:2000', '130.74.23.6:1200', 'hello'), OUT_AFTER = udp('202.204.16.13:3400', '130.74.23.6:1200', 'hello')
const IN = udp('130.74.23.6:1200', '202.204.16.13:3400', '!'), IN_AFTER = udp('130.74.23.6:1200', '192.168.1.3:2000', '!')
const KNOCK = udp('8.117.12.109:9000', '202.204.16.13:3400', 'hi')

const CASES: readonly { readonly name: string, readonly record: TraceRecord, readonly text: string }[] = [
  {
    name: 'a new mapping',
    record: forwarded('lan', OUT, OUT_AFTER, { mapping: { ...MAPPING, isNew: true }, filter: FILTER, before: 'none', after: 'open', timeLeft: 300_000 }),
    text: `
    104b  lan → wan  forwarded  udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes, as 202.204.16.13:3400 → 130.74.23.6:1200
      mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent, new
      filter   address and port-dependent: lets 130.74.23.6:1200 in
      state    none → open, 5 min 0 s left
    `,
  },
  {
    name: 'a known session, refreshed from the WAN',
    record: forwarded('wan', IN, IN_AFTER, { mapping: MAPPING, filter: FILTER, before: 'open', after: 'open', timeLeftBefore: 252_000, timeLeft: 300_000 }),
    text: `
    104b  wan → lan  forwarded  udp 130.74.23.6:1200 → 202.204.16.13:3400, 1 bytes, as 130.74.23.6:1200 → 192.168.1.3:2000
      mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent
      filter   address and port-dependent: not asked again: the session is known
      state    open, 4 min 12 s → 5 min 0 s left
    `,
  },
  {
    name: 'a known session that the packet does not keep',
    record: forwarded('wan', IN, IN_AFTER, { mapping: MAPPING, before: 'open', after: 'open', timeLeftBefore: 12_000, timeLeft: 12_000 }),
    text: `
    104b  wan → lan  forwarded  udp 130.74.23.6:1200 → 202.204.16.13:3400, 1 bytes, as 130.74.23.6:1200 → 192.168.1.3:2000
      mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent
      state    open, 12 s left
    `,
  },
  {
    name: 'let in by a filter on the address alone',
    record: forwarded('wan', udp('130.74.23.6:77', '202.204.16.13:3400'), udp('130.74.23.6:77', '192.168.1.3:2000'),
      { mapping: MAPPING, filter: { ...FILTER, dependence: 'address-dependent', remote: at('130.74.23.6:77') }, before: 'none', after: 'open', timeLeft: 300_000 }),
    text: `
    104b  wan → lan  forwarded  udp 130.74.23.6:77 → 202.204.16.13:3400, 0 bytes, as 130.74.23.6:77 → 192.168.1.3:2000
      mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent
      filter   address-dependent: the host has sent to 130.74.23.6
      state    none → open, 5 min 0 s left
    `,
  },
  {
    name: 'let in by a filter that lets everybody in',
    record: forwarded('wan', KNOCK, udp('8.117.12.109:9000', '192.168.1.3:2000', 'hi'),
      { mapping: MAPPING, filter: { ...FILTER, dependence: 'endpoint-independent', remote: STRANGER }, before: 'none', after: 'open', timeLeft: 300_000 }),
    text: `
    104b  wan → lan  forwarded  udp 8.117.12.109:9000 → 202.204.16.13:3400, 2 bytes, as 8.117.12.109:9000 → 192.168.1.3:2000
      mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent
      filter   endpoint-independent: anybody may come in
      state    none → open, 5 min 0 s left
    `,
  },
  {
    name: 'filtered',
    record: dropped('wan', 'filtered', KNOCK, { mapping: MAPPING, filter: { ...FILTER, remote: STRANGER }, before: 'none', after: 'none', timeLeft: 252_000 }),
    text: `
    104b  wan → lan  dropped  udp 8.117.12.109:9000 → 202.204.16.13:3400, 2 bytes
      mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent, 4 min 12 s left
      filter   address and port-dependent: nothing was sent to 8.117.12.109:9000 (sent to: 130.74.23.6:1200)
      reason   filtered: the WAN port is mapped, but its filter does not let this sender in: the host has sent nothing to it
      rule     RFC 4787 REQ-8
    `,
  },
  {
    name: 'filtered by address; the host speaks with more than are shown',
    record: dropped('wan', 'filtered', KNOCK,
      { mapping: MAPPING, filter: { dependence: 'address-dependent', remote: STRANGER, sentTo: [SERVER, at('130.74.23.6:1300')], sessions: 9 }, before: 'none', after: 'none' }),
    text: `
    104b  wan → lan  dropped  udp 8.117.12.109:9000 → 202.204.16.13:3400, 2 bytes
      mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent
      filter   address-dependent: nothing was sent to 8.117.12.109 (sent to: 130.74.23.6:1200, 130.74.23.6:1300, and 7 more)
      reason   filtered: the WAN port is mapped, but its filter does not let this sender in: the host has sent nothing to it
      rule     RFC 4787 REQ-8
    `,
  },
  {
    name: 'no mapping',
    record: dropped('wan', 'no-mapping', KNOCK, { before: 'none', after: 'none' }),
    text: `
    104b  wan → lan  dropped  udp 8.117.12.109:9000 → 202.204.16.13:3400, 2 bytes
      mapping  none
      reason   no-mapping: nothing is mapped to this WAN port: no host of the LAN has sent from it, and no static mapping is set
      rule     RFC 4787 REQ-8
    `,
  },
  {
    name: 'a static mapping',
    record: forwarded('wan', tcp('202.204.16.13:2402', '4.17.168.2:5000', 'SYN'), tcp('202.204.16.13:2402', '192.168.1.11:1600', 'SYN'), {
      mapping: { ...MAPPING, protocol: 'tcp', kind: 'static', lan: at('192.168.1.11:1600'), wan: at('4.17.168.2:5000') },
      filter: { ...FILTER, remote: at('202.204.16.13:2402'), sentTo: [], sessions: 0 }, before: 'none', after: 'opening', timeLeft: 240_000,
    }),
    text: `
    104b  wan → lan  forwarded  tcp 202.204.16.13:2402 → 4.17.168.2:5000, SYN, as 202.204.16.13:2402 → 192.168.1.11:1600
      mapping  192.168.1.11:1600 = 4.17.168.2:5000, static
      filter   not asked: a static mapping lets anybody in
      state    none → opening, 4 min 0 s left
    `,
  },
  {
    name: 'a host with a WAN address of its own',
    record: forwarded('lan', ping('192.168.1.3', '130.74.23.6', 7), ping('202.204.16.14', '130.74.23.6', 7),
      { mapping: { ...MAPPING, protocol: 'icmp', kind: 'one-to-one', lan: at('192.168.1.3:7'), wan: at('202.204.16.14:7'), isNew: true }, before: 'none', after: 'open', timeLeft: 60_000 }),
    text: `
    104b  lan → wan  forwarded  icmp 192.168.1.3 → 130.74.23.6, echo request, as 202.204.16.14 → 130.74.23.6, identifier 7
      mapping  192.168.1.3 = 202.204.16.14, one-to-one, new
      state    none → open, 1 min 0 s left
    `,
  },
  {
    name: 'an ICMP query, whose identifier is its port',
    record: forwarded('lan', ping('192.168.1.3', '130.74.23.6', 7), ping('202.204.16.13', '130.74.23.6', 500),
      { mapping: { ...MAPPING, protocol: 'icmp', lan: at('192.168.1.3:7'), wan: at('202.204.16.13:500') }, filter: { ...FILTER, remote: at('130.74.23.6') }, before: 'open', after: 'open', timeLeft: 60_000 }),
    text: `
    104b  lan → wan  forwarded  icmp 192.168.1.3 → 130.74.23.6, echo request, as 202.204.16.13 → 130.74.23.6, identifier 500
      mapping  192.168.1.3 id 7 = 202.204.16.13 id 500, endpoint-independent
      filter   address and port-dependent: lets 130.74.23.6 in
      state    open, 1 min 0 s left
    `,
  },
  {
    name: 'a TCP connection that becomes established',
    record: forwarded('wan', tcp('130.74.23.6:1300', '202.204.16.13:2401', 'SYN ACK'), tcp('130.74.23.6:1300', '192.168.1.3:2600', 'SYN ACK'), {
      mapping: { ...MAPPING, protocol: 'tcp', lan: at('192.168.1.3:2600'), wan: at('202.204.16.13:2401'), dependence: 'address-and-port-dependent' },
      before: 'opening', after: 'established', timeLeftBefore: 239_900, timeLeft: 7_440_000,
    }),
    text: `
    104b  wan → lan  forwarded  tcp 130.74.23.6:1300 → 202.204.16.13:2401, SYN ACK, as 130.74.23.6:1300 → 192.168.1.3:2600
      mapping  192.168.1.3:2600 = 202.204.16.13:2401, address and port-dependent
      state    opening → established, 4 min 0 s → 2 h 4 min left
    `,
  },
  {
    name: 'a full table',
    record: dropped('lan', 'table-full', OUT, { before: 'none', after: 'none' }),
    text: `
    104b  lan → wan  dropped  udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes
      mapping  none
      reason   table-full: the table holds as many sessions as it may
    `,
  },
  {
    name: 'a drop in which no mapping had a part',
    record: dropped('lan', 'ttl-expired', OUT),
    text: `
    104b  lan → wan  dropped  udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes
      reason   ttl-expired: the time to live ran out here; the sender was told with ICMP time exceeded
      rule     RFC 1812 §5.3.1
    `,
  },
]

for (const { name, record, text } of CASES) {
  t.test(name, async t => {
    t.equal(told(record), lines(text))
    const back = eventToRecord(JSON.parse(JSON.stringify(recordToEvent(record))) as ReturnType<typeof recordToEvent>)
    t.same(back.explanation, record.explanation, 'through the control socket and back')
    t.equal(told(back), lines(text))
  })
}

t.test('without the details unless they are asked for; a drop has them always', async t => {
  for (const { record, text } of CASES) t.equal(told(record, false), record.action === 'drop' ? lines(text) : lines(text).split('\n')[0])
})

t.test('frames that are neither forwarded nor dropped', async t => {
  const arp = arpRequest({ mac: MACS.lan, address: '192.168.1.3' }, '192.168.1.1')
  t.equal(told({ time: 1n, action: 'originate', sent: { side: 'wan', frame: arp } }), '104b      → wan  sent  arp who has 192.168.1.1? tell 192.168.1.3')
  t.equal(told({ time: 1n, action: 'split', received: { side: 'wan', frame: IN } }), '104b  wan → lan  forwarded in pieces  udp 130.74.23.6:1200 → 202.204.16.13:3400, 1 bytes')
  t.equal(told({ time: 1n, action: 'hold', received: { side: 'lan', frame: OUT } }), '104b  lan → wan  held  udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes, until ARP answers')
  t.equal(told({ ...forwarded('lan', OUT, OUT_AFTER), waited: true }),
    '104b  lan → wan  forwarded  udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes, which waited for ARP, as 202.204.16.13:3400 → 130.74.23.6:1200')
  t.equal(told({ time: 1n, action: 'answer', received: { side: 'lan', frame: arp }, sent: { side: 'lan', frame: ping('192.168.1.1', '192.168.1.3', 7) } }),
    '104b  lan → lan  answered  arp who has 192.168.1.1? tell 192.168.1.3, with icmp 192.168.1.1 → 192.168.1.3, echo request')
  t.equal(told({ time: 1n, action: 'answer', received: { side: 'wan', frame: arp } }), '104b  wan →      learned  arp who has 192.168.1.1? tell 192.168.1.3')
})

t.test('the outcome alone is painted', async t => {
  const painted = explain(forwarded('lan', OUT, OUT_AFTER), '104b', WORDS, { paint: (text, action) => `<${action} ${text}>` })
  t.match(painted[0], /^104b {2}lan → wan {2}<forward forwarded> {2}udp /)
})

t.test('times in words', async t => {
  t.same([0, 0.2, 59, 59.1, 60, 252, 3599, 3600, 7440, 432_000].map(duration),
    ['0 s', '1 s', '59 s', '1 min 0 s', '1 min 0 s', '4 min 12 s', '59 min 59 s', '1 h 0 min', '2 h 4 min', '120 h 0 min'])
})
