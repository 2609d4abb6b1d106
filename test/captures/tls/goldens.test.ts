// The encrypted goldens as files: opened with the key log beside them they hold 217 and 226 as the figures have them, in our eyes
// and in tshark's.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkFiles, decodePayload, formatFileCheck, goldenFolder, nameInterfaces } from '../../../captures/index.js'
import { needsTshark } from '../../prerequisites.js'

const GOLDENS = { 'fig2': 'fig2', 'fig2-tls1.2-rsa': 'fig2', 'fig2-tls1.2-dhe': 'fig2', 'fig2-ssl3-rsa': 'fig2', 'fig2-ssl3-dhe': 'fig2', 'fig2-ssl3-dh': 'fig2', 'fig8b': 'fig8b' } as const
const PASSWORD = 'open sesame 2133'

for (const [name, run] of Object.entries(GOLDENS)) {
  t.test(name, async t => {
    const folder = goldenFolder(name), files = readdirSync(folder).filter(file => file.endsWith('.pcap')).map(file => join(folder, file))
    const report = await checkFiles(nameInterfaces(files, []), { decoder: decodePayload, figures: run, golden: name })
    t.ok(report.ok, formatFileCheck(report).filter(line => line.startsWith('✗')).join('\n'))
    t.same(report.figures?.results.map(result => result.result), new Array(8).fill('passed'))
    t.equal(report.golden?.sealed, null)
  })

  t.test(`${name} in tshark's eyes`, needsTshark, async t => {
    const folder = goldenFolder(name)
    const texts = [0, 1].map(stream => {
      const lines = execFileSync('tshark', [
        '-r', join(folder, '101.pcap'), '-o', `tls.keylog_file:${join(folder, 'keys.log')}`, '-d', 'tcp.port==1201,tls', '-d', 'tcp.port==1300,tls', '-q', '-z', `follow,tls,raw,${stream}`,
      ], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')
      return Buffer.from(lines.filter(line => /^\t?([0-9a-f]{2})+$/.test(line)).map(line => line.trim()).join(''), 'hex').toString('latin1')
    })
    const [first, second] = texts
    t.ok(first.includes('\x01\xd9') && first.includes('2133') && first.includes(PASSWORD), '217 of the first connection') // version 1, type 217
    t.ok(second.includes('\x01\xe2') && second.includes(PASSWORD), '226 of the second')
  })
}
