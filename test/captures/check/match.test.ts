// What a check finds in a capture: packets, symbols, counts, order and time, copies on the other side, and what must not be there.
import t from 'tap'
import type { CheckDescription, ExpectedPacket } from '../../../captures/check/format.js'
import { formatCheck } from '../../../captures/check/report.js'
import { check, syn, TALK, udp, write, type Packet } from './support.js'

const question: ExpectedPacket = { packet: 'udp', at: 'lan', from: '192.168.1.11:$p', to: 'server:1200' }
const crossing: ExpectedPacket = { ...question, translated: { at: 'wan', from: 'nat:$q', to: 'server:1200' } }
const keepAlive = (after: number, identification: number): Packet[] => [
  udp('lan', after, '192.168.1.11:1500', '130.74.23.6:1200', 'keep', { identification }),
  udp('wan', after + 1, '4.17.168.2:7000', '130.74.23.6:1200', 'keep', { identification }),
]

interface Row {
  readonly name: string
  readonly check: CheckDescription
  readonly packets?: readonly Packet[]
  /** What the report says of the failure; without it the check holds. */
  readonly says?: readonly (string | RegExp)[]
  readonly compared?: number
}

const rows: Row[] = [
  { name: 'a packet by its ends', check: { expect: [question] }, compared: 1 },
  { name: 'every field that a check can name', check: { expect: [{ ...question, fields: { 'ipv4.TTL': 64, 'ip.ttl': { 'at least': 60 }, 'udp.srcport': 1500, 'ipv4.DF': 1, 'ipv4.SA': '192.168.0.0/16', 'ethernet.type': 0x800, 'udp.DP': { 'any of': [1200, 1201] } } }] } },
  { name: 'a field that is not named is not compared', check: { expect: [{ packet: 'udp', at: 'lan' }] }, compared: 2 },
  { name: 'another value', check: { expect: [{ ...question, fields: { 'ipv4.TTL': 63 } }] }, compared: 0, says: ['wanted at least 1, found none', 'nearest is lan, frame 1: udp 192.168.1.11:1500 → 130.74.23.6:1200', 'ipv4.TTL: wanted 63, got 64', /likely: one router more or less/] },
  { name: 'another port', check: { expect: [{ ...question, to: 'server:1201' }] }, says: ['udp.DP: wanted 1201, got 1200', /likely: the router's table/] },
  { name: 'flags', packets: [syn('lan', 0, '192.168.1.11:1500', '130.74.23.6:80')], check: { expect: [{ packet: 'tcp', fields: { 'tcp.flags': 'SYN' } }] } },
  { name: 'other flags', packets: [syn('lan', 0, '192.168.1.11:1500', '130.74.23.6:80')], check: { expect: [{ packet: 'tcp', fields: { 'tcp.flags': 'ACK SYN' } }] }, says: ['tcp.flags: wanted SYN ACK, got SYN'] },
  { name: 'no such field', check: { expect: [{ packet: 'ipv4', at: 'lan', fields: { 'tcp.flags': 'SYN' } }] }, says: ['tcp.flags: wanted SYN, got no such field'] },
  { name: 'aliases of interfaces', check: { interfaces: { inside: 'lan' }, expect: [{ ...question, at: 'inside' }] } },
  { name: 'an interface that is not there', check: { expect: [{ packet: 'udp', at: 'dmz', from: '1.2.3.4' }] }, says: ['the capture has no interface dmz (it has lan, wan)'] },
  { name: 'the packet is on the other interface', check: { expect: [{ ...question, at: 'wan', from: '192.168.1.11:1500', fields: { 'udp.SP': 1500 } }] }, says: ['nearest is lan, frame 1', 'interface: wanted wan, got lan'] },

  { name: 'payload', check: { expect: [{ ...question, payload: [{ hex: '01 .. 61', at: 0 }, { text: 'question', at: 'anywhere' }, { length: 15 }, { length: { 'at most': 20 } }] }] } },
  { name: 'another payload', check: { expect: [{ ...question, payload: { hex: '01 01' } }] }, says: ['payload at byte 0: wanted 01 01, got 01 00'] },
  { name: 'another text', check: { expect: [{ ...question, payload: { text: 'answer', at: 7 } }] }, says: ['payload at byte 7: wanted "answer", got "questi"'] },
  { name: 'a text that is nowhere', check: { expect: [{ ...question, payload: { text: 'answer', at: 'anywhere' } }] }, says: ['payload: wanted "answer" anywhere, got 15 bytes without it'] },
  { name: 'another length', check: { expect: [{ ...question, payload: { length: { 'at least': 100 } } }] }, says: ['payload length: wanted at least 100 bytes, got 15 bytes'] },
  { name: 'a part behind the end', check: { expect: [{ ...question, payload: { hex: '00', at: 900 } }] }, says: ['payload at byte 900: wanted 00, got nothing'] },

  { name: 'a symbol agrees', check: { expect: [question, { packet: 'udp', at: 'lan', from: 'server:1200', to: '192.168.1.11:$p' }] }, compared: 2 },
  { name: 'a symbol that does not agree', check: { expect: [{ ...question, to: 'server:$p' }] }, says: ['udp.DP: wanted 1500 ($p), got 1200'] },
  { name: 'bytes as a symbol', check: { expect: [{ ...question, payload: { hex: '$id', at: 2, bytes: 4 } }, { packet: 'udp', at: 'lan', from: 'server', payload: [{ hex: '$id', at: 2, bytes: 4 }] }] } },
  { name: 'bytes that differ', check: { expect: [{ ...question, payload: { hex: '$id', at: 0, bytes: 2 } }, { packet: 'udp', at: 'lan', from: 'server', payload: [{ hex: '$id', at: 0, bytes: 2 }] }] }, says: ['payload at byte 0: wanted 0100 ($id), got 0101'] },
  { name: 'an address as a symbol', check: { expect: [{ packet: 'udp', at: 'wan', from: '$a:7000', to: 'server' }, { packet: 'udp', at: 'wan', from: 'server', to: '$a:7000' }] } },
  { name: 'a later packet of another port is another packet', packets: [...TALK, udp('lan', 30, '192.168.1.11:1501', '130.74.23.6:1200', 'x')], check: { expect: [{ ...question, count: 1 }] } },

  { name: 'a count', check: { expect: [{ packet: 'udp', at: 'wan', count: 3 }, { packet: 'udp', count: { 'at least': 2, 'at most': 5 } }] }, compared: 8 },
  { name: 'too many', check: { expect: [{ packet: 'udp', at: 'wan', count: 2 }] }, says: ['wanted 2, found 3 (frame 2, 3, 5)'] },
  { name: 'too few', check: { expect: [{ ...question, count: { 'at least': 2 } }] }, says: ['wanted at least 2, found 1 (frame 1)'] },
  { name: 'none, and none that is near', check: { expect: [{ packet: 'icmp', at: 'lan' }] }, says: ['lan has 2 packets, and none that comes near'] },

  { name: 'in order', check: { ordered: true, expect: [question, { packet: 'udp', at: 'lan', from: 'server' }] } },
  { name: 'out of order', check: { ordered: true, expect: [{ packet: 'udp', at: 'lan', from: 'server' }, question] }, says: ['order: wanted after frame 4, got frame 1'] },
  { name: 'the same without order', check: { expect: [{ packet: 'udp', at: 'lan', from: 'server' }, question] } },
  { name: 'in time', check: { expect: [question, { packet: 'udp', at: 'lan', from: 'server', within: '11 ms' }] } },
  { name: 'late', check: { expect: [question, { packet: 'udp', at: 'lan', from: 'server', within: '10.5ms' }] }, says: ['time: wanted within 10.5 ms after frame 1, got 11 ms after it'] },
  { name: 'before its time', check: { expect: [{ packet: 'udp', at: 'lan', from: 'server' }, { ...question, within: '1 s' }] }, says: ['time: wanted within 1 s after frame 4, got 11 ms before it'] },

  { name: 'translated', check: { expect: [crossing, { packet: 'udp', at: 'wan', from: 'server', to: 'nat:$q', translated: { at: 'lan', to: '192.168.1.11:$p', fields: { 'ipv4.TTL': 63 }, within: '5 ms' } }] }, compared: 4 },
  { name: 'translated otherwise', check: { expect: [{ ...question, translated: { at: 'wan', from: 'nat:3400', fields: { 'ipv4.TTL': 62 }, within: '0.5 ms' } }] }, says: ['wan, frame 2: udp 4.17.168.2:7000', 'udp.SP: wanted 3400, got 7000', 'ipv4.TTL: wanted 62, got 63', 'time: wanted within 500 µs after frame 1, got 1 ms after it'] },
  { name: 'not translated at all', check: { expect: [{ packet: 'udp', at: 'wan', from: '8.117.12.109', translated: { at: 'lan' } }] }, says: ['frame 5 did not come out at lan; the capture says of it: nat  wan → lan  dropped', 'nothing was sent there'] },
  { name: 'to an interface that is not there', check: { expect: [{ ...question, translated: { at: 'dmz' } }] }, says: ['the capture has no interface dmz'] },
  { name: 'copies of packets that are all alike', packets: [keepAlive(0, 1), keepAlive(10, 2), keepAlive(20, 3)].flat(), check: { expect: [{ ...crossing, count: 3 }] }, compared: 6 },
  { name: 'one of them lost', packets: [keepAlive(0, 1), keepAlive(10, 2).slice(0, 1), keepAlive(20, 3)].flat(), check: { expect: [{ ...crossing, count: 3 }] }, says: ['frame 3 did not come out at wan'] },
  { name: 'copies by their packet id', packets: [
    udp('lan', 0, '192.168.1.11:1500', '130.74.23.6:1200', 'a', { packetId: 5n }), udp('wan', 1, '4.17.168.2:7000', '130.74.23.6:1200', 'a', { packetId: 6n }),
    udp('wan', 2, '4.17.168.2:7001', '130.74.23.6:1200', 'changed', { packetId: 5n }),
  ], check: { expect: [{ ...question, translated: { at: 'wan', from: 'nat:7001' } }] } },

  { name: 'never', check: { expect: [question], never: [{ packet: 'udp', at: 'lan', from: '8.117.12.109' }, { packet: 'tcp' }] }, compared: 1 + 2 + 5 },
  { name: 'never, and there it is', check: { never: [{ packet: 'udp', at: 'wan', to: '*:7000' }] }, says: ['wanted none, found 2 (frame 3, 5)', 'wan, frame 5: udp 8.117.12.109:9000 → 4.17.168.2:7000', 'dropped'] },
  { name: 'never, with a bound symbol', check: { expect: [question], never: [{ packet: 'udp', at: 'lan', to: '192.168.1.11:$p' }] }, says: ['wanted none, found 1 (frame 4)'] },
  { name: 'never on an interface that is not there', check: { expect: [question], never: [{ packet: 'udp', at: 'dmz' }] }, says: ['the capture has no interface dmz'] },
  { name: 'never where there was no packet', packets: TALK.filter(({ at }) => at === 'wan'), check: { never: [{ packet: 'udp', at: 'lan' }] }, compared: 0, says: ['not one packet was compared'] },
  { name: 'an empty capture', packets: [], check: { expect: [question] }, compared: 0, says: ['not one packet was compared', 'lan has not one packet: was the capture made while the program ran?'] },
]

for (const { name, packets = TALK, check: description, says, compared } of rows) {
  t.test(name, async t => {
    const report = await check(write(t.testdir(), packets), description)
    const text = formatCheck(report).join('\n')
    t.equal(report.ok, says === undefined, text)
    for (const sentence of says ?? []) t.match(text, sentence)
    if (compared !== undefined) t.equal(report.compared, compared, text)
    t.equal(report.ok, report.entries.every(entry => entry.ok) && report.compared > 0)
  })
}

t.test('checksums are verified before anything else, unless told otherwise', async t => {
  const bad = Uint8Array.from(TALK[0].bytes)
  bad[bad.length - 1] ^= 1
  const path = write(t.testdir(), [{ ...TALK[0], bytes: bad }])
  const text = formatCheck(await check(path, { expect: [question] })).join('\n')
  t.match(text, 'udp checksum: wanted right, got wrong')
  t.match(text, 'likely: the packet was changed without its checksum')
  t.equal((await check(path, { expect: [question], checksums: 'ignored' })).ok, true)
})

t.test('the nearest packet is one that no other entry is about', async t => {
  const path = write(t.testdir(), [udp('lan', 0, '192.168.1.11:1500', '130.74.23.6:1200', 'a'), udp('lan', 1, '192.168.1.11:1500', '130.74.23.6:1300', 'a')])
  const { entries } = await check(path, { expect: [{ packet: 'udp', at: 'lan', from: '192.168.1.11:1500', to: 'server:1200' }, { packet: 'udp', at: 'lan', from: '192.168.1.11:1500', to: 'server:1201' }] })
  t.match(entries, [{ ok: true, frames: [1] }, { ok: false, nearest: [{ frame: 2, field: 'udp.DP', wanted: '1201', got: '1300' }] }])
})

t.test('a name that nobody knows', async t => {
  await t.rejects(check(write(t.testdir(), TALK), { expect: [{ packet: 'udp', to: 'sever:1200' }] }), { name: 'CheckFileError', message: /expect\[0\]: there is no name 'sever' \(the capture holds server, nat\)/ })
})
