// The Wireshark dissector, by tshark: what it says of a message, or of what is none, is what the codec says.
import t from 'tap'
import { parseEndpoint } from '../../napt/wire/address.js'
import { tcpFrame, udpFrame } from '../../napt/wire/frame.js'
import { FLAG } from '../../napt/wire/tcp.js'
import { ANY_FIELD, Defect, DEFINITIONS, dissect, encode, labelOf, type FieldKey, type FieldValue, type Message } from '../../endpoints/message/index.js'
import { encodePacket, type DatagramPacket } from '../../endpoints/message/datagram.js'
import { decode } from '../../captures/decode/decode.js'
import { namePacket } from '../../captures/decode/naming.js'
import { decodePayload } from '../../captures/index.js'
import { needsTsharkWithLua } from '../prerequisites.js'
import { BETWEEN, KEYS, masked, nameOf, packet, tshark, written, type Row } from './dissector-support.js'
import { randomBytes } from './support.js'

const FROM = '192.168.1.3:2000', TO = '130.74.23.6:1200'
const datagram = (payload: Uint8Array, from = FROM, to = TO): Uint8Array => udpFrame(parseEndpoint(from), parseEndpoint(to), payload)

/** A connection whose caller sends these bytes, a segment each. */
function connection(parts: readonly Uint8Array[], to = '130.74.23.6:1201', from = '192.168.1.11:1500'): Uint8Array[] {
  const [caller, called] = [parseEndpoint(from), parseEndpoint(to)]
  let sequence = 1000
  const start = [
    tcpFrame(caller, called, FLAG.syn, undefined, { sequence }),
    tcpFrame(called, caller, FLAG.syn | FLAG.ack, undefined, { sequence: 5000, acknowledgement: sequence + 1 }),
    tcpFrame(caller, called, FLAG.ack, undefined, { sequence: sequence + 1, acknowledgement: 5001 }),
  ]
  sequence++
  return [...start, ...parts.map(part => {
    const frame = tcpFrame(caller, called, FLAG.ack | FLAG.psh, part, { sequence, acknowledgement: 5001 })
    sequence += part.length
    return frame
  })]
}

const hex = (digits: number): string => '0123456789abcdef'.repeat(4).slice(0, digits)
const SAMPLES: Readonly<Record<FieldKey, FieldValue>> = {
  equipmentId: '2133', password: 'open sesame', address: '4.17.168.2', port: 5000, notification: true, token: hex(16), padding: new Uint8Array(5),
  reason: 3, sentence: 'the acceptor says no', text: 'hello, 加油', fileName: 'from-102.bin', size: 2 ** 53 - 1, data: Uint8Array.of(1, 2, 3), sha256: hex(64), ok: false,
  connectionKey: hex(64), transport: 17, time: 1_763_744_485_123, authenticator: hex(32), userId: 'user 11', connections: 3, relayed: Uint8Array.of(255),
  certificateRequest: Uint8Array.of(48, 0), certificate: Uint8Array.of(48, 1, 2), authority: Uint8Array.of(48, 1, 3), proof: hex(64),
}

/** Each message twice: with all its fields, and with those that it needs. */
const MESSAGES: readonly Uint8Array[] = DEFINITIONS.flatMap(({ name, fields }) => [true, false].map(all =>
  encode({ name, ...Object.fromEntries(fields.filter(({ optional }) => all || !optional).map(({ key }) => [key, SAMPLES[key]])) } as unknown as Message)))

/** A field's value as tshark prints it. */
function printed(key: FieldKey, value: FieldValue, length: number): string {
  if (ANY_FIELD[key].secret) return masked(length)
  if (typeof value === 'boolean') return value ? '1' : '0'
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
}

/** What the dissector has to say of a datagram. */
function expected(bytes: Uint8Array): Partial<Row> {
  const found = dissect(bytes)
  if (found instanceof Defect) return { '_ws.expert.message': [String(found)] }
  const known = found.fields.flatMap(({ key, value, length }) => key === null || (length === 0 && value instanceof Uint8Array) ? [] : [[nameOf(key), [printed(key, value, length)]] as const])
  const unknown = found.fields.filter(({ key }) => key === null)
  return {
    '_ws.expert.message': [], 'naptlab.type': [String(found.definition.type)], 'naptlab.number': found.definition.document === null ? [] : [found.definition.document],
    'naptlab.unknown': unknown.map(({ length }) => masked(length)),
    ...Object.fromEntries(KEYS.map(key => [nameOf(key), []])), ...Object.fromEntries(known),
  }
}

const part = (row: Row, wanted: Partial<Row>): Partial<Row> => Object.fromEntries(Object.keys(wanted).map(name => [name, row[name]]))

t.test('every message, with and without what may be absent: number, fields, values, columns', needsTsharkWithLua, async t => {
  const rows = tshark(written(t, MESSAGES.map(bytes => datagram(bytes)).map(packet)))
  t.equal(rows.length, MESSAGES.length)
  for (const [at, bytes] of MESSAGES.entries()) {
    const found = dissect(bytes)
    if (found instanceof Defect) throw new Error(String(found))
    t.same(part(rows[at], expected(bytes)), expected(bytes), found.definition.name)
    t.same(rows[at]['_ws.col.Protocol'], ['NAPTLAB'])
    t.ok(rows[at]['_ws.col.Info'][0].startsWith(labelOf(found.definition.name)))
  }
  const info = (name: string): string => rows[DEFINITIONS.findIndex(definition => definition.name === name) * 2]['_ws.col.Info'][0]
  t.equal(info('request'), '217 connection request: 2133, 4.17.168.2, 5000, UDP')
  t.match(info('answer'), 'answer: wrong-password')
  t.notMatch(JSON.stringify(rows), 'open sesame')
})

t.test('bytes that are no message: what is wrong, and where, in the words of the codec', needsTsharkWithLua, async t => {
  const random = randomBytes('dissector')
  const below = (limit: number): number => (random.next().value * 256 + random.next().value) % limit
  /** A message with a few bytes changed, cut, lengthened, or with a further field; its header's length is made to fit now and then. */
  const spoil = (bytes: Uint8Array): Uint8Array => {
    let spoilt = Uint8Array.from(bytes)
    const kind = below(6)
    if (kind === 0) spoilt = spoilt.slice(0, 1 + below(spoilt.length))
    if (kind === 1) spoilt = Uint8Array.from([...spoilt, ...Array.from({ length: 1 + below(9) }, () => random.next().value)])
    if (kind === 2) spoilt = Uint8Array.from([...spoilt, 200 + below(40), 0, 2, 65, 66])
    if (kind > 2) for (let change = 0; change <= below(3); change++) spoilt[below(spoilt.length)] = random.next().value
    if (spoilt.length > 4 && below(4) > 0) spoilt.set([(spoilt.length - 4) >> 8, (spoilt.length - 4) & 255], 2)
    return spoilt
  }
  const short = MESSAGES.filter(bytes => bytes.length < 400)
  const payloads = Array.from({ length: 3000 }, (_, at) => spoil(short[at % short.length]))
  const rows = tshark(written(t, payloads.map(bytes => datagram(bytes)).map(packet)))
  t.equal(rows.length, payloads.length)
  const kinds = new Set<string>()
  let whole = 0
  for (const [at, bytes] of payloads.entries()) {
    const found = dissect(bytes), wanted = expected(bytes)
    if (found instanceof Defect) kinds.add(found.kind)
    else {
      whole++
      // Control characters, quotes and whatever is no ASCII are escaped by tshark, in its own way.
      if (found.fields.some(({ value }) => typeof value === 'string' && !/^[ -~]*$|^hello/.test(value) || String(value).includes('\\') || String(value).includes(BETWEEN))) continue
    }
    if (JSON.stringify(part(rows[at], wanted)) !== JSON.stringify(wanted)) t.same(part(rows[at], wanted), wanted, Buffer.from(bytes).toString('hex'))
  }
  t.same([...kinds].sort(), ['field', 'length', 'missing', 'trailing', 'truncated', 'type', 'version'], 'each kind of defect was among them')
  t.ok(whole > 200, `${whole} of them are messages nevertheless`)
})

t.test('text is judged as the codec judges it', needsTsharkWithLua, async t => {
  const texts = ['ö', '€', '𝄞', '\u0085', '\u00a0', '\x7f', '\0', '\t', '\n', '"', '\\'].map(text => [...Buffer.from(text)])
  const broken = [[0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x80], [0xe2, 0x82], [0xc3, 0x28], [0xf0, 0x9d, 0x84]]
  const payloads = [...texts, ...broken].flatMap(text => [[201, 1], [10, 10]].map(([type, id]) => Uint8Array.of(1, type, 0, 3 + text.length, id, 0, text.length, ...text)))
  const rows = tshark(written(t, payloads.map(bytes => datagram(bytes)).map(packet)))
  for (const [at, bytes] of payloads.entries()) {
    const found = dissect(bytes)
    t.same(rows[at]['_ws.expert.message'], found instanceof Defect ? [String(found)] : [], Buffer.from(bytes).toString('hex'))
  }
})

t.test('a stream, however it is cut into segments; what is not there yet is no error', needsTsharkWithLua, async t => {
  const random = randomBytes('segments')
  const stream = Buffer.concat(MESSAGES.flatMap(bytes => bytes))
  const parts: Uint8Array[] = []
  for (let at = 0; at < stream.length;) {
    const length = random.next().value % 90 + 1
    parts.push(stream.subarray(at, at + length))
    at += length
  }
  const rows = tshark(written(t, connection(parts).map(packet)))
  t.same(rows.flatMap(row => row['naptlab.type']), MESSAGES.map(bytes => String(bytes[1])))
  for (const key of KEYS) {
    const wanted = MESSAGES.flatMap(bytes => expected(bytes)[nameOf(key)] ?? [])
    t.same(rows.flatMap(row => row[nameOf(key)]), wanted, key)
  }
  t.same(rows.flatMap(row => row['_ws.expert.message']).filter(text => text.includes('(byte')), [])
  const several = tshark(written(t, connection([stream.subarray(0, 300)]).map(packet))).at(-1)
  t.match(several?.['_ws.col.Info'][0], /^201 equipment registration: 2133; 201 .*; 205 .*; 205 /)
  const cut = tshark(written(t, connection([stream.subarray(0, 20)]).map(packet)))
  t.same(cut.flatMap(row => row['naptlab.type']), [])
  const announced = Uint8Array.of(1, 217, 255, 255, 0)
  const tooLong = tshark(written(t, connection([announced]).map(packet))).flatMap(row => row['_ws.expert.message'])
  t.same(tooLong.filter(text => text.includes('(byte')), expected(announced)['_ws.expert.message'])
})

t.test('a packet that was not captured whole says so, and shows what it can', needsTsharkWithLua, async t => {
  const whole = datagram(MESSAGES[DEFINITIONS.findIndex(({ name }) => name === 'request') * 2])
  const cut = [42 + 1, 42 + 3, 42 + 4, 42 + 6, 42 + 14, 42 + 30].map((length, at) => ({ ...packet(whole.subarray(0, length), at), originalLength: whole.length }))
  const rows = tshark(written(t, cut))
  for (const row of rows) t.match(row['_ws.expert.message'].join(), /the capture holds \d+ of \d+ bytes|the header is cut short/)
  t.same(rows.map(row => row['naptlab.equipment_id'].length), [0, 0, 0, 0, 1, 1])
})

t.test('other ports: messages are found, and what is none is left alone', needsTsharkWithLua, async t => {
  const greeting = encode({ name: 'greeting', token: hex(16) }), line = encode({ name: 'line', text: 'hello' })
  const frames = [
    datagram(MESSAGES[0], '10.0.0.1:40000', '10.0.0.2:9000'),
    datagram(Uint8Array.from([...MESSAGES[0], 0]), '10.0.0.1:40000', '10.0.0.2:9001'),
    ...connection([greeting, line.subarray(0, 6), line.subarray(6)], '10.0.0.2:5678', '10.0.0.1:41000'),
    ...connection([Uint8Array.of(1, 201, 0, 7, 2, 0, 4, 50, 49, 51, 51)], '10.0.0.2:5679', '10.0.0.1:41001'),
  ]
  const rows = tshark(written(t, frames.map(packet)))
  t.same(rows.map(row => row['naptlab.type'].join()), ['201', '', '', '', '', '1', '', '10', '', '', '', ''])
  const web = connection([new TextEncoder().encode('GET / HTTP/1.0\r\n\r\n')], '10.0.0.2:5000', '10.0.0.1:41000')
  t.same(tshark(written(t, web.map(packet))).at(-1)?.['_ws.col.Protocol'], ['HTTP'], 'a port of the direct connection, which others use, too')
  const named = tshark(written(t, [packet(datagram(Uint8Array.from([...MESSAGES[0], 0]), '10.0.0.1:40000', '10.0.0.2:9001'), 0)]), '-d', 'udp.port==9001,naptlab')
  t.match(named[0]['_ws.expert.message'][0], '1 bytes follow the message')
})

const DIRECT: readonly [from: string, to: string] = ['202.204.16.13:2402', '4.17.168.2:5000']
const ID = 'a1b2c3d4e5f60718', LONG = 2 ** 40 + 5
const GREETING = encode({ name: 'greeting', token: hex(16) }), LINE = encode({ name: 'line', text: 'hello' })
const dataOf = (bytes: Uint8Array, kind: 'data' | 'end' = 'data'): DatagramPacket => ({ kind, id: ID, number: 7, position: LONG, bytes })
/** Each packet of a stream over UDP, with what stands in the Info column. */
const STREAM: readonly (readonly [DatagramPacket, info: string])[] = [
  [{ kind: 'open', id: ID, token: hex(16), limit: 524_288 }, 'UDP connection start'],
  [{ kind: 'accept', id: ID, ownId: '0000000000000001', limit: LONG }, 'UDP handshake'],
  [dataOf(new Uint8Array(0)), 'UDP keep-alive'],
  [dataOf(Uint8Array.of(9, 9, 9)), `S209 data, 3 bytes at ${LONG}`],
  [dataOf(GREETING), 'greeting'],
  [dataOf(Buffer.concat([GREETING, LINE, LINE.subarray(0, 5)])), 'greeting; line of text: hello'],
  [dataOf(GREETING.subarray(0, 6)), `S209 data, 6 bytes at ${LONG}`],
  [dataOf(LINE, 'end'), 'line of text: hello'],
  [dataOf(new Uint8Array(0), 'end'), 'UDP close'],
  [{ kind: 'acknowledgement', id: ID, largest: 9, position: LONG, limit: LONG + 1, ranges: [] }, 'UDP acknowledgement'],
  [{ kind: 'acknowledgement', id: ID, largest: 9, position: LONG, limit: LONG + 9, ranges: [{ from: LONG + 2, to: LONG + 3 }, { from: LONG + 5, to: LONG + 8 }] }, 'UDP acknowledgement'],
  [{ kind: 'reset', id: ID }, 'UDP reset'],
]

t.test('S209 over UDP: every packet of the stream by its name and values, on any port', needsTsharkWithLua, async t => {
  for (const ends of [DIRECT, ['10.0.0.1:40000', '10.0.0.2:9000'], [FROM, TO]] as const) {
    const rows = tshark(written(t, STREAM.map(([each]) => datagram(encodePacket(each), ...ends)).map(packet)))
    t.equal(rows.length, STREAM.length)
    for (const [at, [each, info]] of STREAM.entries()) {
      const row = rows[at], value = (name: string): string => row[`naptlab.datagram.${name}`].join(' ')
      t.same(row['_ws.col.Protocol'], ['NAPTLAB'])
      t.same(row['_ws.expert.message'], [], info)
      t.match(row['_ws.col.Info'][0], info)
      t.equal(value('id'), ID)
      t.equal(value('type'), String(encodePacket(each)[1]))
      const values = new Map<string, string | number | Uint8Array | object>(Object.entries(each)), numberOf = (name: string): string => typeof values.get(name) === 'number' ? `${Number(values.get(name))}` : ''
      for (const name of ['limit', 'number', 'position', 'largest']) t.equal(value(name), numberOf(name), `${info}: ${name}`)
      t.equal(value('token'), each.kind === 'open' ? each.token : '')
      t.equal(value('own_id'), each.kind === 'accept' ? each.ownId : '')
      t.equal(value('range'), each.kind === 'acknowledgement' ? each.ranges.map(({ from, to }) => `${from} to ${to}`).join(' ') : '')
      t.equal(value('length'), 'bytes' in each && each.bytes.length > 0 ? String(each.bytes.length) : '')
      // What our own lines say of it, but for the numbers that go by the connection.
      const ours = namePacket([decode(datagram(encodePacket(each), ...ends))], decodePayload, []).title.replace(/ …$/, '')
      t.ok(ours === 'data' ? info.startsWith('S209 data') : info.startsWith(ours), `${ours}: ${info}`)
    }
  }
})

t.test('what is not exactly one packet of a stream is none: each byte counts', needsTsharkWithLua, async t => {
  const random = randomBytes('pieces'), payloads = STREAM.flatMap(([each]) => {
    const bytes = encodePacket(each)
    const changed = Array.from({ length: 12 }, () => {
      const copy = Uint8Array.from(bytes)
      copy[1 + random.next().value % (copy.length - 1)] ^= 1 << random.next().value % 8
      return copy
    })
    return [...changed, bytes.subarray(0, bytes.length - 1), Uint8Array.from([...bytes, 0]), bytes.subarray(0, 10)]
  })
  const rows = tshark(written(t, payloads.map(bytes => datagram(bytes, ...DIRECT)).map(packet)))
  t.equal(rows.length, payloads.length)
  t.same(rows.filter(row => row['naptlab.datagram.type'].length > 0 || row['naptlab.type'].length > 0), [])
  const cut = datagram(encodePacket(dataOf(LINE)), ...DIRECT)
  t.same(tshark(written(t, [{ ...packet(cut.subarray(0, cut.length - 2), 0), originalLength: cut.length }]))[0]['naptlab.datagram.type'], [], 'a packet that was not captured whole cannot be told')
})
