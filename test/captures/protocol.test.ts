// The decoder on the endpoints' own codec: figures hold for its messages, secrets stay hidden, streams fall apart rightly.
import t from 'tap'
import { encode, type Message } from '../../endpoints/message/index.js'
import { checkPacket, decodePayload, figureLayouts, formatGolden, frameFor, recordGolden } from '../../captures/index.js'
import { capture, PASSWORD, randomBytes } from './support.js'

const token = '0011223344556677'
const issuer = { address: '4.17.168.2', port: 5000, token } as const
const MESSAGES: Readonly<Record<string, Message>> = {
  201: { name: 'registration', equipmentId: '2133' },
  205: { name: 'notification', notification: true, token },
  217: { name: 'request', equipmentId: '2133', password: PASSWORD, ...issuer },
  226: { name: 'forwardedRequest', password: PASSWORD, ...issuer },
}
const ports = { source: 1, destination: 2 }

t.test('the eight figures hold for what the codec writes', async t => {
  for (const layout of figureLayouts()) {
    const checks = checkPacket(frameFor(layout, encode(MESSAGES[layout.number])), layout, { decoder: decodePayload, password: PASSWORD })
    t.same(checks.filter(check => !check.ok), [], layout.figure)
    t.same(checks.at(-1)?.field, layout.payload.at(-1)?.name)
  }
  const [, , , , layout] = figureLayouts()
  const unset = frameFor(layout, encode({ name: 'notification', notification: false, token }))
  t.same(checkPacket(unset, layout, { decoder: decodePayload }).filter(check => !check.ok), [{ field: 'connection request notification flag', wanted: 'set', got: 'not set', ok: false }])
})

t.test('fields stand where the decoder says', async t => {
  const bytes = encode(MESSAGES[217])
  const request = decodePayload('tcp', ports, bytes)
  t.match(request, { number: '217', name: 'connection request', length: bytes.length })
  const password = request?.fields.find(field => field.secret)
  t.equal(Buffer.from(bytes.subarray(password!.offset, password!.offset + password!.length)).toString(), PASSWORD)
  t.same(request?.fields.filter(field => field.random).map(field => field.value), [token])
  t.match(decodePayload('tcp', ports, encode({ name: 'line', text: 'hello' })), { number: null, name: 'line of text' })
})

t.test('a stream gives its first message, a datagram only whole ones, and noise none', async t => {
  const two = new Uint8Array([...encode(MESSAGES[201]), ...encode(MESSAGES[205])])
  t.equal(decodePayload('tcp', ports, two)?.length, encode(MESSAGES[201]).length)
  t.equal(decodePayload('udp', ports, two), null)
  for (let at = 0; at < encode(MESSAGES[217]).length; at++) t.equal(decodePayload('tcp', ports, encode(MESSAGES[217]).subarray(0, at)), null)
  const random = randomBytes('protocol')
  for (let round = 0; round < 500; round++) {
    const noise = Uint8Array.from({ length: 40 }, () => random.next().value)
    noise[0] = 1
    noise.set([201, 0, round % 40], 1)
    const found = decodePayload('tcp', ports, noise)
    if (found?.fields.some(field => field.offset + field.length > noise.length)) t.fail(Buffer.from(noise).toString('hex'))
  }
})

t.test('a golden of them holds neither password nor token, nor a field that nobody knows', async t => {
  const packets = figureLayouts().filter(layout => layout.side === 'LAN').map((layout, at) => {
    const extra = [{ id: 200, bytes: new TextEncoder().encode('secret of tomorrow') }]
    return { time: BigInt(at), bytes: frameFor(layout, encode({ ...MESSAGES[layout.number], extra })) }
  })
  const text = formatGolden(recordGolden(new Map([['103', await capture(packets)]]), { name: 'x', decoder: decodePayload }))
  for (const secret of [PASSWORD, token, 'secret of tomorrow']) {
    t.notOk(text.includes(secret))
    t.notOk(text.includes(Buffer.from(secret).toString('hex')))
  }
  t.match(text, 'password: •••• (11 bytes)')
})
