// The codec: one law for all messages, exact bytes for those of Figs. 7 and 8, and any bytes at all without a crash.
import t from 'tap'
import {
  ANY_FIELD, DEFINITIONS, Defect, EXTRA_COUNT, EncodeError, FIELDS, HEADER, MAX_MESSAGE, StreamDecoder, decode, definitionOf, dissect, encode,
} from '../../endpoints/message/index.js'
import { seeded } from './bench.js'
import type { Message } from '../../endpoints/message/index.js'

const token = '0123456789abcdef'
const sha256 = 'ab'.repeat(32)
const extra = [{ id: 200, bytes: Uint8Array.of(1, 2, 3) }, { id: 201, bytes: new Uint8Array(0) }]

/** At least one of each name, with and without what may be absent. */
const SAMPLES: Message[] = [
  { name: 'registration', equipmentId: '2133' },
  { name: 'registration', equipmentId: '00:11:22:33:44:55', padding: new Uint8Array(9), extra },
  { name: 'notification', notification: true, token },
  { name: 'request', equipmentId: '2133', password: 'pass wörd', address: '4.17.168.2', port: 5000, token },
  { name: 'request', equipmentId: '機器', address: '255.255.255.255', port: 65535, token, extra },
  { name: 'forwardedRequest', password: 'x', address: '4.17.168.2', port: 5000, token },
  { name: 'forwardedRequest', address: '0.0.0.0', port: 1, token },
  { name: 'relayRegistration', equipmentId: '2133', padding: new Uint8Array(3) },
  { name: 'relayRegistration', equipmentId: '2133', address: '8.117.12.109' },
  { name: 'relayRequest', equipmentId: '2133', token },
  { name: 'relayRequest', equipmentId: '2133', address: '8.117.12.109', port: 1600, token },
  { name: 'relayNotification', notification: true, token },
  { name: 'relayNotification', notification: true, address: '8.117.12.109', port: 1600, token, extra },
  { name: 'command', text: 'on' },
  { name: 'direct', address: '8.117.12.109', token },
  { name: 'greeting', token },
  { name: 'answer', reason: 3, sentence: 'no', token },
  { name: 'answer', reason: 0 },
  { name: 'line', text: '' },
  { name: 'line', text: '\ufefftab\tand \u001b[0m' },
  { name: 'fileStart', fileName: 'a b.txt', size: Number.MAX_SAFE_INTEGER },
  { name: 'fileData', data: new Uint8Array(FIELDS.data.max).fill(7) },
  { name: 'fileEnd', sha256 },
  { name: 'fileEnd' },
  { name: 'fileReceipt', ok: false, sha256, sentence: 'damaged' },
  { name: 'goodbye' },
  { name: 'certificateRequest', certificateRequest: new Uint8Array(900).fill(3) },
  { name: 'certificateRequest', certificateRequest: new Uint8Array(FIELDS.certificateRequest.max), proof: sha256, extra },
  { name: 'certificateIssuance', certificate: new Uint8Array(FIELDS.certificate.max), proof: sha256 },
  { name: 'authorityRequest' },
  { name: 'authorityCertificate', authority: Uint8Array.of(48, 0) },
  { name: 'login', userId: 'eleven', password: 'pass wörd', token },
  { name: 'loginAnswer', reason: 40, sentence: 'no' },
  { name: 'hold' },
  { name: 'holdAnswer', extra },
  { name: 'demand', userId: '利用者' },
  { name: 'demandNotification', userId: 'eleven' },
  { name: 'demandAnswer', reason: 0 },
  { name: 'demandResult', reason: 43 },
  { name: 'relayData', relayed: new Uint8Array(FIELDS.relayed.max).fill(9) },
  { name: 'relayEnd' },
  { name: 'termination' },
  { name: 'termination', sentence: 'broken off' },
  { name: 'release' },
  { name: 'logout' },
  { name: 'userListRequest' },
  { name: 'userListEntry', userId: 'eleven', connections: 2 },
  { name: 'userListEnd' },
]

const decoded = (bytes: Uint8Array): Message => {
  const message = decode(bytes)
  if (message instanceof Defect) throw new Error(message.toString())
  return message
}

t.test('encode, decode, encode gives the same bytes, for every message', async t => {
  t.same(new Set(SAMPLES.map(({ name }) => name)), new Set(DEFINITIONS.map(({ name }) => name)), 'none is left out')
  for (const message of SAMPLES) {
    const bytes = encode(message)
    t.same(decoded(bytes), message, message.name)
    t.same(encode(decoded(bytes)), bytes)
  }
})

t.test('the messages of Figs. 7 and 8 hold the figures\' fields first and in the figures\' order', async t => {
  t.same(definitionOf('registration').fields.map(({ key }) => key)[0], 'equipmentId')
  t.same(definitionOf('request').fields.map(({ key }) => key).slice(0, 4), ['equipmentId', 'password', 'address', 'port'])
  t.same(definitionOf('notification').fields.map(({ key }) => key)[0], 'notification')
  t.same(definitionOf('forwardedRequest').fields.map(({ key }) => key).slice(0, 3), ['password', 'address', 'port'])
  t.equal(Buffer.from(encode({ name: 'registration', equipmentId: '2133' })).toString('hex'), '01c90007' + '010004' + '32313333')
  t.equal(Buffer.from(encode({ name: 'notification', notification: true, token })).toString('hex'), '01cd000f' + '05000101' + '060008' + token)
  t.equal(Buffer.from(encode({ name: 'request', equipmentId: '2133', password: 'pw', address: '4.17.168.2', port: 5000, token })).toString('hex'),
    '01d90023' + '01000432313333' + '0200027077' + '0300040411a802' + '0400021388' + '060008' + token)
})

t.test('a dissection gives each field with its place in the bytes', async t => {
  const bytes = encode({ name: 'request', equipmentId: '2133', password: 'pw', address: '4.17.168.2', port: 5000, token, extra })
  const dissection = dissect(bytes)
  if (dissection instanceof Defect) throw new Error(dissection.toString())
  t.equal(dissection.length, bytes.length)
  t.same(dissection.fields.map(({ key, offset, length }) => [key, offset, length]), [
    ['equipmentId', 7, 4], ['password', 14, 2], ['address', 19, 4], ['port', 26, 2], ['token', 31, 8], [null, 42, 3], [null, 48, 0],
  ])
  for (const { key, offset, length, value } of dissection.fields) {
    const kind = key && ANY_FIELD[key].kind
    t.same(kind ? kind.encode(value) : value, bytes.subarray(offset, offset + length))
  }
})

t.test('a defect says what is wrong, and at which byte', async t => {
  const good = encode({ name: 'request', equipmentId: '2133', address: '4.17.168.2', port: 5000, token })
  const changed = (at: number, ...bytes: number[]) => { const copy = good.slice(); copy.set(bytes, at); return copy }
  const cases: [string, Uint8Array, Partial<Defect>][] = [
    ['nothing', good.subarray(0, 0), { kind: 'truncated', offset: 0 }],
    ['half a header', good.subarray(0, 3), { kind: 'truncated', offset: 3 }],
    ['half a message', good.subarray(0, 20), { kind: 'truncated', offset: 20 }],
    ['a byte too many', Uint8Array.of(...good, 0), { kind: 'trailing', offset: good.length }],
    ['another version', changed(0, 9), { kind: 'version', offset: 0 }],
    ['an unknown type', changed(1, 99), { kind: 'type', offset: 1 }],
    ['an oversized length', changed(2, 255, 255), { kind: 'length', offset: 2 }],
    ['a field longer than the rest', changed(5, 255), { kind: 'field', offset: 5 }],
    ['a control character in the ID', changed(7, 27), { kind: 'field', offset: 7 }],
    ['an ID that is not UTF-8', changed(7, 255), { kind: 'field', offset: 7 }],
    ['port 0', changed(21, 0, 0), { kind: 'field', offset: 21 }],
    ['fields out of order', changed(4, 3), { kind: 'missing', offset: 4 }],
    ['a repeated field', changed(18, 3), { kind: 'field', offset: 18 }],
    ['an ID of no bytes', Uint8Array.of(1, 201, 0, 3, 1, 0, 0), { kind: 'field', offset: 5 }],
    ['no fields', Uint8Array.of(1, 201, 0, 0), { kind: 'missing', offset: HEADER }],
    ['a flag of 2', Uint8Array.of(1, 205, 0, 4, 5, 0, 1, 2), { kind: 'field', offset: 7 }],
    ['a field cut short', Uint8Array.of(1, 15, 0, 2, 77, 0), { kind: 'field', offset: 4 }],
    ['too many further fields', Uint8Array.of(1, 15, 0, 51, ...Array.from({ length: 17 }, () => [77, 0, 0]).flat()), { kind: 'field' }],
  ]
  for (const [what, bytes, wanted] of cases) {
    const defect = decode(bytes)
    t.ok(defect instanceof Defect, what)
    t.match(defect, wanted, what)
    t.ok(defect instanceof Defect && defect.sentence.length > 10)
  }
})

t.test('what does not fit a message is refused when it is encoded, without showing a password', async t => {
  const refused: Message[] = [
    { name: 'registration', equipmentId: '' },
    { name: 'registration', equipmentId: 'x'.repeat(65) },
    { name: 'registration', equipmentId: 'bell\u0007' },
    { name: 'forwardedRequest', password: 'hush'.repeat(50), address: '1.2.3.4', port: 1, token },
    { name: 'forwardedRequest', address: '1.2.3.256', port: 1, token },
    { name: 'forwardedRequest', address: '1.2.3.4', port: 0, token },
    { name: 'greeting', token: 'xyz' },
    { name: 'line', text: 'two\nlines' },
    { name: 'fileStart', fileName: 'f', size: -1 },
    { name: 'goodbye', extra: Array.from({ length: EXTRA_COUNT + 1 }, () => ({ id: 99, bytes: new Uint8Array(0) })) },
    { name: 'goodbye', extra: [{ id: 99, bytes: new Uint8Array(2000) }] },
    { name: 'goodbye', extra: [{ id: FIELDS.sentence.id, bytes: new Uint8Array(1) }] },
  ]
  for (const message of refused) {
    const error = thrown(() => encode(message))
    t.ok(error instanceof EncodeError, String(error))
    t.notMatch(String(error), 'hush')
  }
})

function thrown(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}

t.test('random, truncated and mutated bytes never crash, and what is accepted encodes to itself', async t => {
  const random = seeded(2133)
  const below = (limit: number) => random() % limit
  let accepted = 0, refused = 0
  const check = (bytes: Uint8Array) => {
    const message = decode(bytes)
    if (message instanceof Defect) {
      refused++
      if (message.offset < 0 || message.offset > bytes.length) t.fail(`offset ${message.offset} of ${bytes.length}`)
    } else {
      accepted++
      if (!Buffer.from(encode(message)).equals(bytes)) t.fail(`${Buffer.from(bytes).toString('hex')} encodes to something else`)
    }
  }
  const small = SAMPLES.map(encode).filter(({ length }) => length < 1000)
  for (let round = 0; round < 20_000; round++) {
    const sample = small[below(small.length)]
    const mutated = sample.slice()
    for (let n = below(3); n >= 0; n--) mutated[below(mutated.length)] = below(256)
    check(mutated)
    check(sample.slice(0, below(sample.length + 1)))
    const noise = Uint8Array.from({ length: below(60) }, () => below(256))
    check(noise)
    if (noise.length > 4) noise.set([1, DEFINITIONS[below(DEFINITIONS.length)].type, 0, noise.length - 4])
    check(noise)
  }
  t.ok(accepted > 1000 && refused > 10_000, `${accepted} accepted, ${refused} refused`)
})

t.test('a stream may come in any pieces', async t => {
  const random = seeded(1051)
  const stream = Buffer.concat(SAMPLES.map(encode))
  const names = DEFINITIONS.map(({ name }) => name)
  for (const most of [1, 3, 50, 70_000]) {
    const decoder = new StreamDecoder(), out: Message[] = []
    for (let at = 0; at < stream.length;) {
      const chunk = stream.subarray(at, at + 1 + random() % most)
      decoder.push(chunk)
      at += chunk.length
      for (let message = decoder.next(names); message; message = decoder.next(names)) {
        if (message instanceof Defect) throw new Error(message.toString())
        out.push(message)
      }
      if (decoder.held > MAX_MESSAGE) t.fail(`${decoder.held} bytes are held`)
    }
    t.same(out.map(({ name }) => name), SAMPLES.map(({ name }) => name))
    t.ok(stream.equals(Buffer.concat(out.map(encode))), `pieces of up to ${most} bytes`)
    t.equal(decoder.held, 0)
  }
})

t.test('a stream refuses before it waits: oversized lengths, and messages without a place', async t => {
  const oversized = new StreamDecoder()
  oversized.push(Uint8Array.of(1, 217, 255, 255))
  t.match(oversized.next(['request']), { kind: 'length' })
  oversized.push(encode({ name: 'goodbye' }))
  t.match(oversized.next(['goodbye']), { kind: 'length' }, 'nothing can be trusted after a defect')
  t.equal(oversized.held, 0)
  const unexpected = new StreamDecoder()
  unexpected.push(Uint8Array.of(1, 12))
  t.match(unexpected.next(['request']), { kind: 'unexpected' }, 'a large message is not even waited for')
})
