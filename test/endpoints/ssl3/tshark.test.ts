// Another program's opinion: tshark opens what our two ends have sent, with the server's RSA key or with the key log, and reads
// the same data. It derives the keys by itself; the key log holds the common key of equation (1) alone.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { encodePcap, type CapturedPacket } from '../../../captures/index.js'
import { parseEndpoint } from '../../../napt/wire/address.js'
import { tcpFrame } from '../../../napt/wire/frame.js'
import { FLAG } from '../../../napt/wire/tcp.js'
import { privatePem } from '../../../endpoints/ca/index.js'
import { SUITES, type Suite } from '../../../endpoints/ssl3/suites.js'
import { needsTshark } from '../../prerequisites.js'
import { everything, keysFor, opened, type From, type WireRecord } from './bench.js'

const QUESTION = '217 connection request', ANSWER = '226 connection request'

t.test('tshark reads every suite with the key log, and RSA with the server\'s key', needsTshark, async t => {
  const conversations = await Promise.all(SUITES.map(suite => conversation(t, suite)))
  const folder = t.testdir({ 'keys.log': conversations.map(({ keys }) => keys).join(''), 'server.pem': privatePem(keysFor('rsa').key) })
  const file = join(folder, 'connections.pcap')
  writeFileSync(file, encodePcap(conversations.flatMap(({ records }, index) => packetsOf(records, 1500 + index))))

  const byLog = read(file, `tls.keylog_file:${join(folder, 'keys.log')}`)
  t.same(byLog.map(({ suite }) => suite), SUITES.map(({ id }) => id))
  for (const [at, { name, keyExchange }] of SUITES.entries()) {
    t.same(byLog[at].data, [QUESTION, ANSWER], name)
    t.equal(byLog[at].types, keyExchange === 'dhe' ? '1 2 11 12 14 16 20 20' : '1 2 11 14 16 20 20', 'finished is read at both ends')
  }
  const byKey = read(file, `uat:rsa_keys:"${join(folder, 'server.pem')}",""`)
  t.same(byKey.map(({ data }) => data), SUITES.map(({ keyExchange }) => keyExchange === 'rsa' ? [QUESTION, ANSWER] : []), 'the server\'s key opens key transport, and nothing else')
})

async function conversation(t: Test, suite: Suite): Promise<{ records: WireRecord[], keys: string }> {
  let keys = ''
  const { client, server, records } = await opened(t, { keyExchange: suite.keyExchange, forClient: { suites: [suite], onKeys: line => { keys += line } } })
  client.end(QUESTION)
  t.equal(String(await everything(server)), QUESTION)
  server.end(ANSWER)
  t.equal(String(await everything(client)), ANSWER)
  return { records, keys }
}

type Packet = Omit<CapturedPacket, 'number'>

/** The records as segments of a connection. */
function packetsOf(records: readonly WireRecord[], port: number): Packet[] {
  const ends = { client: parseEndpoint(`192.168.1.11:${port}`), server: parseEndpoint('130.74.23.6:1201') }
  const next: Record<From, number> = { client: 1, server: 1 }
  const segment = (from: From, flags: number, payload?: Uint8Array): Packet => {
    const to = from === 'client' ? 'server' : 'client'
    const bytes = tcpFrame(ends[from], ends[to], flags, payload, { sequence: next[from], acknowledgement: next[to], window: 60_000 })
    next[from] += payload?.length ?? 1 // SYN counts as one
    return { time: 0n, bytes, originalLength: bytes.length }
  }
  return [segment('client', FLAG.syn), segment('server', FLAG.syn | FLAG.ack), ...records.map(({ from, bytes }) => segment(from, FLAG.ack | FLAG.psh, bytes))]
}

interface Reading { readonly data: string[], readonly suite: number, readonly types: string }

/** What tshark makes of each connection. */
function read(file: string, key: string): Reading[] {
  const fields = ['tcp.stream', 'data.data', 'tls.handshake.type', 'tls.handshake.ciphersuite']
  const rows = execFileSync('tshark', ['-r', file, '-d', 'tcp.port==1201,tls', '-o', key, '-T', 'fields', ...fields.flatMap(field => ['-e', field])],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n').filter(Boolean).map(line => line.split('\t'))
  return Array.from({ length: SUITES.length }, (_, stream) => {
    const own = rows.filter(([of]) => of === String(stream))
    return {
      data: own.flatMap(([, data]) => data === '' ? [] : [Buffer.from(data, 'hex').toString()]),
      types: own.map(([, , types]) => types).filter(types => types !== '').join(' '),
      suite: Number(own.find(([, , types]) => types === '2')?.[3]),
    }
  })
}
