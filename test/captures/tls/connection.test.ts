// TLS as a bystander sees it: connections of node:tls, cut anywhere, with and without keys, damaged, and noise.
import t from 'tap'
import { cipherSuite } from '../../../captures/tls/cipher-suites.js'
import { TlsConnection, type TlsItem } from '../../../captures/tls/connection.js'
import { KeyLog, NO_KEYS, type KeySource } from '../../../captures/tls/key-log.js'
import { randomBytes } from '../support.js'
import { overhear, type Overheard, type Talk } from './loopback.js'

const TALKS: readonly Talk[] = [
  { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
  { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  { version: 'TLSv1.3', cipher: 'TLS_CHACHA20_POLY1305_SHA256' },
  ...['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'AES128-SHA', 'AES256-SHA256', 'DHE-RSA-AES256-GCM-SHA384', 'DHE-RSA-AES128-SHA256',
    'DHE-RSA-CHACHA20-POLY1305', 'ECDHE-RSA-AES256-SHA384'].map(cipher => ({ version: 'TLSv1.2', cipher }) as const),
  { version: 'TLSv1.2', cipher: 'AES128-SHA', macThenEncrypt: true },
]

const keysOf = ({ keyLog }: Overheard): KeyLog => {
  const keys = new KeyLog('keys.log')
  keys.add(keyLog)
  return keys
}

const read = (chunks: Overheard['chunks'], keys: KeySource): TlsItem[] => {
  const connection = new TlsConnection(keys)
  return chunks.flatMap(({ way, bytes }) => connection.push(way, bytes))
}

const textOf = (items: readonly TlsItem[], way: string): string =>
  items.map(item => item.kind === 'data' && item.way === way ? Buffer.from(item.bytes).toString() : '').join('')

const nameOf = (item: TlsItem): string => item.kind === 'handshake' ? item.message.name : item.kind === 'alert' ? item.description : item.kind
const namesOf = (items: readonly TlsItem[], way: string): string[] => items.filter(item => item.way === way && item.kind !== 'data').map(nameOf)

for (const talk of TALKS) {
  t.test(`${talk.version} ${talk.cipher}${talk.macThenEncrypt === true ? ', MAC then encrypt' : ''}`, async t => {
    const overheard = await overhear(talk)
    const items = read(overheard.chunks, keysOf(overheard))
    t.equal(textOf(items, '→'), overheard.said.client)
    t.equal(textOf(items, '←'), overheard.said.server)
    const hello = items.find(item => item.kind === 'handshake' && item.message.name === 'server hello')
    t.equal(hello?.kind === 'handshake' && hello.message.name === 'server hello' ? cipherSuite(hello.message.cipherSuite).name : '', overheard.suite)
    const isEphemeral = talk.cipher.includes('DHE')
    if (talk.version === 'TLSv1.3') {
      t.same(namesOf(items, '→'), ['client hello', 'change cipher spec', 'finished', 'close notify'])
      t.same(namesOf(items, '←').filter(name => name !== 'new session ticket'), ['server hello', 'change cipher spec', 'encrypted extensions', 'certificate', 'certificate verify', 'finished', 'close notify'])
    } else {
      t.same(namesOf(items, '→'), ['client hello', 'client key exchange', 'change cipher spec', 'finished', 'close notify'])
      t.same(namesOf(items, '←').filter(name => name !== 'new session ticket'),
        ['server hello', 'certificate', ...isEphemeral ? ['server key exchange'] : [], 'server hello done', 'change cipher spec', 'finished', 'close notify'])
    }
    const bytewise = overheard.chunks.flatMap(({ way, bytes }) => bytes.length > 4000 ? [{ way, bytes }] : [...bytes].map(byte => ({ way, bytes: Uint8Array.of(byte) })))
    t.same(read(bytewise, keysOf(overheard)), items, 'segments of one byte make no difference')

    const closed = read(overheard.chunks, NO_KEYS)
    t.same(closed.map(item => item.kind).filter(kind => kind === 'data' || kind === 'defect'), [])
    t.ok(closed.filter(item => item.kind === 'sealed').every(item => item.why === 'key'))
    t.equal(closed.filter(item => item.kind === 'sealed').length > 4, true)
  })
}

t.test('a changed record is said to be one, and the ones behind it are read', async t => {
  for (const talk of [TALKS[0], TALKS[3], TALKS[5], TALKS[8]]) {
    const overheard = await overhear({ ...talk, lines: ['one', 'two', 'three'] })
    const last = overheard.chunks.findIndex(({ way, bytes }) => way === '→' && Buffer.from(bytes).equals(chunkOf(overheard, 'one')))
    const chunks = overheard.chunks.map((each, at) => at === last ? { ...each, bytes: each.bytes.map((byte, i) => i === each.bytes.length - 20 ? byte ^ 1 : byte) } : each)
    const items = read(chunks, keysOf(overheard))
    t.same(items.filter(item => item.kind === 'sealed').map(item => [item.way, item.why]), [['→', 'tag']], talk.cipher)
    t.equal(textOf(items, '→'), 'three')
    t.equal(textOf(items, '←'), 'two')
  }
})

/** The chunk that this line travelled in. */
function chunkOf(overheard: Overheard, line: string): Uint8Array {
  const connection = new TlsConnection(keysOf(overheard))
  return overheard.chunks.find(({ way, bytes }) => connection.push(way, bytes).some(item => item.kind === 'data' && Buffer.from(item.bytes).toString() === line))!.bytes
}

t.test('keys that come late open what is left', async t => {
  const overheard = await overhear({ ...TALKS[3], lines: ['one', 'two', 'three'] })
  let keys: KeySource = NO_KEYS
  const connection = new TlsConnection({ lack: '', secret: (label, clientRandom) => keys.secret(label, clientRandom) })
  let text = ''
  for (const { way, bytes } of overheard.chunks) {
    for (const item of connection.push(way, bytes)) text += item.kind === 'data' ? Buffer.from(item.bytes).toString() : ''
    if (Buffer.from(bytes).equals(chunkOf(overheard, 'one'))) keys = keysOf(overheard)
  }
  t.equal(text, 'twothree')
})

t.test('missing bytes end a direction, and only that', async t => {
  const overheard = await overhear({ ...TALKS[0], lines: ['one', 'two', 'three'] })
  const connection = new TlsConnection(keysOf(overheard))
  const lost = chunkOf(overheard, 'one')
  const items = overheard.chunks.flatMap(({ way, bytes }) => Buffer.from(bytes).equals(lost) ? connection.lose(way) : connection.push(way, bytes))
  t.match(items.filter(item => item.kind === 'defect'), [{ way: '→', defect: /missing/ }])
  t.equal(textOf(items, '←'), 'two')
  t.equal(textOf(items, '→'), '')
})

t.test('noise', async t => {
  const overheard = await Promise.all([TALKS[0], TALKS[3], TALKS[6]].map(talk => overhear({ ...talk, lines: ['one', 'two'] })))
  const noise = randomBytes('tls')
  const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => noise.next().value)
  for (let round = 0; round < 300; round++) {
    const base = overheard[round % 3]
    const connection = new TlsConnection(keysOf(base))
    for (const { way, bytes } of base.chunks) {
      const noisy = Uint8Array.from(bytes)
      if (round > 2) for (const at of random(round % 5)) noisy[(at * 7919 + round) % noisy.length] ^= 1 + (at % 255)
      t.ok(Array.isArray(connection.push(way, round % 7 === 0 ? random(200) : noisy)))
    }
  }
})
