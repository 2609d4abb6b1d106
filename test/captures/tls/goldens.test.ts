// The encrypted goldens as files: opened with the keys in them they hold 217 and 226 as the figures have them, in our eyes and in
// tshark's.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { checkFiles, decodePayload, formatFileCheck, goldenCapture, nameInterfaces } from '../../../captures/index.js'
import { oneSide } from '../../lab/one-side.js'
import { needsTshark } from '../../prerequisites.js'

const GOLDENS = { 'fig2': 'fig2', 'fig2-tls1.2-rsa': 'fig2', 'fig2-tls1.2-dhe': 'fig2', 'fig2-ssl3-rsa': 'fig2', 'fig2-ssl3-dhe': 'fig2', 'fig2-ssl3-dh': 'fig2', 'fig8b': 'fig8b' } as const
const PASSWORD = 'open sesame 2133'

for (const [name, run] of Object.entries(GOLDENS)) {
  t.test(name, async t => {
    const report = await checkFiles(nameInterfaces([goldenCapture(name)], []), { decoder: decodePayload, figures: run, golden: name })
    t.ok(report.ok, formatFileCheck(report).filter(line => line.startsWith('✗')).join('\n'))
    t.same(report.figures?.results.map(result => result.result), new Array(8).fill('passed'))
    t.equal(report.golden?.sealed, null)
  })

  t.test(`${name} in tshark's eyes`, needsTshark, async t => {
    const lines = execFileSync('tshark', [
      '-r', oneSide(goldenCapture(name), '101', join(t.testdir(), '101.pcapng')), '-d', 'tcp.port==1201,tls', '-d', 'tcp.port==1300,tls',
      '-q', ...[0, 1, 2].flatMap(stream => ['-z', `follow,tls,raw,${stream}`]), // the CA's connection is in the clear
    ], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')
    const messages = lines.filter(line => /^\t?([0-9a-f]{2})+$/.test(line)).map(line => Buffer.from(line.trim(), 'hex').toString('latin1')).filter(text => text.includes(PASSWORD)).sort()
    t.same(messages.map(text => text.slice(0, 2)), ['\x01\xd9', '\x01\xe2'], 'version 1: 217 on the first connection, 226 on the second')
    t.ok(messages[0]?.includes('2133'))
  })
}
