// Fig. 2 under TLS on real packets: 212 to 226 by number and name, the figures checked after decryption with the run's key log, and
// an independent reader (tshark) that finds the same.
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { LadderEntry } from '../../captures/index.js'
import { runFig2, type Fig2Options, type Fig2Result } from '../../lab/systems/fig2.js'
import { needsNamespaces, needsTshark } from '../prerequisites.js'
import { oneSide } from './one-side.js'

const VARIANTS = [
  { encryption: 'tls1.3', handshake: ['212 client hello, 215 key information', '213 server hello, 216 key information, 214 server certificate'] },
  { encryption: 'tls1.2', keyExchange: 'rsa', handshake: ['212 client hello', '213 server hello, 214 server certificate', '215 key information'] },
  { encryption: 'tls1.2', keyExchange: 'dhe', handshake: ['212 client hello', '213 server hello, 214 server certificate', '216 key information', '215 key information'] },
] as const

async function run(options: Fig2Options): Promise<{ readonly result: Fig2Result, readonly titles: readonly string[] }> {
  const titles = new Set<string>()
  const onEntry = (entry: LadderEntry): void => { if (entry.kind === 'packet' && !entry.isDetail) titles.add(entry.title) }
  return { result: await runFig2({ ...options, onEntry }), titles: [...titles] }
}

/** What tshark finds in the connections with a port of the server, with the keys of the file itself: the decrypted data of each frame. */
const decrypted = (capture: string, port: number): Buffer[] => execFileSync('tshark', [
  '-r', capture, '-d', `tcp.port==${port},tls`, '-d', `tls.port==${port},data`, '-Y', `tcp.port == ${port}`, '-T', 'fields', '-e', 'data.data',
], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(/[\n,]/).filter(Boolean).map(hex => Buffer.from(hex, 'hex'))

/** What tshark decrypts of a port's connections by itself: each record, from its dumps in hexadecimal. */
function withoutSettings(capture: string, port: number): Buffer[] {
  const dumps = execFileSync('tshark', ['-r', capture, '-Y', `tcp.port == ${port} and tls`, '-x'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return dumps.split(/^Decrypted TLS.*\n/m).slice(1).map(dump => Buffer.from([...dump.split('\n\n')[0].matchAll(/^[0-9a-f]{4} {2}((?:[0-9a-f]{2} )+)/gm)].map(([, hex]) => hex).join('').replaceAll(' ', ''), 'hex'))
}

for (const { handshake, ...variant } of VARIANTS) {
  t.test(Object.values(variant).join(' '), needsNamespaces, async t => {
    const out = t.testdir()
    const { result, titles } = await run({ out, ...variant })
    t.same(result.failures, [])
    t.ok(result.ok)
    t.same(result.figures?.results.map(({ figure, result }) => `${figure} ${result}`), ['7A', '7B', '7C', '7D', '8A', '8B', '8C', '8D'].map(figure => `${figure} passed`))
    t.equal(result.golden?.result, 'equal', JSON.stringify([result.golden?.differences, result.golden?.missing, result.golden?.unexpected]))
    t.same(titles.filter(title => /^21[2-6] /.test(title)), handshake)
    t.ok(titles.includes('217 connection request') && titles.includes('226 connection request'))
    const keys = join(out, 'keys.log')
    t.equal(statSync(keys).mode & 0o777, 0o600)
    const capture = result.capture ?? ''
    t.notOk(readFileSync(capture).includes('open sesame'), 'no password in any packet, and in no comment')
    t.equal(statSync(capture).mode & 0o777, 0o600, 'the keys are in it, for one pair of eyes')

    await t.test('tshark, without any setting, shows 217 decrypted', needsTshark, t => {
      t.ok(withoutSettings(capture, 1201).some(message => message.includes('open sesame 2133')))
      t.end()
    })

    await t.test('tshark reads 217 and 226', needsTshark, t => {
      for (const [side, port, type] of [['104a-wan', 1201, 0xd9], ['104b-wan', 1300, 0xe2]] as const) {
        const found = decrypted(oneSide(capture, side, join(out, `${side}.pcapng`)), port).filter(message => message[0] === 1 && message[1] === type)
        t.equal(found.length, 1, side)
        t.ok(found[0]?.includes('open sesame 2133') && found[0].includes(Buffer.of(4, 17, 168, 2)), 'with the password and the address of 102')
      }
      t.end()
    })
  })
}

t.test('S209 under TLS, over TCP', needsNamespaces, async t => {
  const out = t.testdir()
  const { result, titles } = await run({ out, encryption: 'tls1.3', data: 'tls' })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.equal(result.file?.bytes, 48_000)
  t.ok(['S209 client hello', 'S209 server hello', 'S209 goodbye'].every(title => titles.includes(title)), titles.join())
  t.notOk(readFileSync(result.capture ?? '').includes('hello from 102'))
  t.equal(new Set(readFileSync(join(out, 'keys.log'), 'utf8').split('\n').map(line => line.split(' ')[1]).filter(Boolean)).size, 3, 'keys of three connections')
})
