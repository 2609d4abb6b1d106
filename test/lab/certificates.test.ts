// Fig. 5 on the bench, in front of an encrypted run of Fig. 2: 63, 64, 54 and 55 cross the wire, and the ports of the figures stay.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { readCaptures } from '../../captures/index.js'
import { describeCertificate, readCertificate } from '../../endpoints/ca/index.js'
import { fig1 } from '../../lab/benches/fig1.js'
import { runFig2 } from '../../lab/systems/fig2.js'
import { needsNamespaces, needsTshark } from '../prerequisites.js'
import { pathOf, show } from './run.js'

t.test('the CA certifies 101, and hands its certificate out', needsNamespaces, async t => {
  const out = join(t.testdir(), 'captures')
  const { result, packets, steps } = await show(runFig2, { out, encryption: 'tls1.3' })
  t.same(result.failures, [])
  t.equal(result.file?.bytes, 48_000)
  const paths = packets.filter(({ title }) => /^(63|54|55) /.test(title)).map(packet => `${packet.title}: ${pathOf(packet)}`)
  t.same([...paths].sort(), [
    '54 certificate issuance: 51 101', '55 CA certificate: 51 101', '55 CA certificate: 51 104a 102', '55 CA certificate: 51 104b 103', '63 certificate request: 101 51',
  ])
  t.ok(paths.findIndex(path => path.startsWith('63')) < paths.findIndex(path => path.startsWith('54')))
  const names = steps.map(({ lane, name }) => `${lane} ${name}`), before = names.slice(0, names.indexOf('101 S202'))
  t.same([...before].sort(), ['101 52', '101 61/62', '101 65', '102 52', '103 52', '51 52/53', '51 64'])
  t.ok(before.indexOf('101 61/62') < before.indexOf('51 64') && before.indexOf('51 64') < before.indexOf('101 65'))
  const request = packets.find(({ title }) => title.includes('217'))
  t.match(request?.hops.map(({ label }) => label).join(' '), '7000→1201', 'the ports of Fig. 7D')
  t.match(packets.find(({ title }) => title.includes('226'))?.hops.map(({ label }) => label).join(' '), '1300→2401', 'and of Fig. 8D')
  t.same([...result.tables['104a'], ...result.tables['104b']].filter(row => row.sessions.some(({ remoteAddress }) => remoteAddress === '130.74.23.51')), [], 'the routers have forgotten it')

  await t.test('what tshark finds in 55 is a certificate', needsTshark, async t => {
    const filter = ['-Y', 'frame.interface_name == "104a-wan" and tcp.srcport == 1210 and tcp.len > 0', '-T', 'fields', '-e', 'tcp.payload']
    const bytes = Buffer.from(execFileSync('tshark', ['-r', result.capture ?? '', ...filter], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim(), 'hex')
    t.same([...bytes.subarray(0, 2)], [1, 55])
    t.match(describeCertificate(readCertificate(bytes.subarray(7))), [['certificate of', 'CN=naptlab CA'], ['issued by', 'CN=naptlab CA'], ['kind', 'CA certificate']])
  })
})

t.test('a bench without a CA: the runner makes the certificates, and none cross the wire', needsNamespaces, async t => {
  const hosts = Object.fromEntries(Object.entries(fig1.hosts).filter(([name]) => name !== '51'))
  const out = join(t.testdir(), 'captures')
  const { result, packets } = await show(runFig2, { out, encryption: 'tls1.3', bench: { ...fig1, hosts } })
  t.same(result.failures, [])
  t.same(packets.filter(({ title }) => /^(63|54|55) /.test(title)), [])
  t.ok(((await readCaptures(result.capture ?? '')).get('104a-wan')?.packets.length ?? 0) > 0)
})
