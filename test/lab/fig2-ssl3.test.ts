// Fig. 2 on the bench under SSL 3.0, with each key exchange: another program finds 217 and 226 in the captures, with the run's key log.
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runFig2 } from '../../lab/systems/fig2.js'
import { needsNamespaces, needsTshark } from '../prerequisites.js'
import { oneSide } from './one-side.js'

/** By the numbers of RFC 6101, and by the description's: the handshake of 212 to 216, and of 222 to 225. */
const HANDSHAKES = { rsa: '1 2 11 14 16 20 20', dhe: '1 2 11 12 14 16 20 20', dh: '1 2 11 14 16 20 20' } as const

for (const [keyExchange, handshake] of Object.entries(HANDSHAKES) as [keyof typeof HANDSHAKES, string][]) {
  t.test(`key exchange ${keyExchange}`, { ...needsNamespaces, skip: needsNamespaces.skip || needsTshark.skip }, async t => {
    const out = join(t.testdir(), 'captures')
    const result = await runFig2({ out, encryption: 'ssl3', keyExchange })
    t.same(result.failures, [])
    t.equal(result.golden?.golden, `fig2-ssl3-${keyExchange}`)
    t.equal(result.golden?.result, 'equal', JSON.stringify([result.golden?.differences, result.golden?.missing, result.golden?.unexpected]))
    t.ok(result.figures?.ok, 'Figs. 7 and 8, with 217 and 226 opened by the key log')
    t.ok(result.ok)
    t.equal(result.file?.bytes, 48_000)
    t.equal(statSync(join(out, 'keys.log')).mode & 0o777, 0o600, 'the keys are for one pair of eyes')
    for (const [side, port, request, address] of [['104a-wan', 1201, 0xd9, '4.17.168.2'], ['104b-wan', 1300, 0xe2, '202.204.16.13']] as const) {
      const rows = read(oneSide(result.capture ?? '', side, join(out, `${side}.pcapng`)), join(out, 'keys.log'), port)
      t.equal(rows.map(([, types]) => types).filter(Boolean).join(' ').replaceAll(',', ' '), handshake, `${address}: the packets of the figure, finished among them`)
      const messages = rows.flatMap(([, , data]) => data === '' ? [] : data.split(',')).map(data => Buffer.from(data, 'hex'))
      const found = messages.filter(message => message[0] === 1 && message[1] === request)
      t.equal(found.length, 1, `${request} once`)
      t.ok(found[0]?.includes('open sesame 2133') && found[0].includes(Buffer.of(4, 17, 168, 2)), 'with the password and the address of 102')
    }
    const raw = execFileSync('tshark', ['-r', result.capture ?? '', '-Y', 'frame contains "open sesame"'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    t.equal(raw, '', 'and the password is nowhere in the clear')
  })
}

/** Frame, handshake types and data of each frame, as tshark reads them. */
function read(file: string, keys: string, port: number): string[][] {
  const fields = ['frame.number', 'tls.handshake.type', 'data.data']
  return execFileSync('tshark', ['-r', file, '-Y', `tcp.port == ${port}`, '-d', `tcp.port==${port},tls`, '-d', `tls.port==${port},data`, '-o', `tls.keylog_file:${keys}`, '-T', 'fields', ...fields.flatMap(field => ['-e', field])],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n').filter(Boolean).map(line => line.split('\t'))
}
