// `expectCapture`, the library for anybody's tests: what it takes, and the error that it throws.
import { AssertionError } from 'node:assert'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { CaptureMismatchError, encodePcap, expectCapture, goldenFolder, type CheckDescription } from '../../captures/index.js'
import { START, TALK, write } from './check/support.js'

const CHECK: CheckDescription = { names: { server: '130.74.23.6' }, expect: [{ packet: 'udp', at: 'lan', from: '192.168.1.11:$p', to: 'server:1200', translated: { at: 'wan', from: '4.17.168.2:7000' } }] }
const YAML = 'expect:\n  - packet: udp\n    at: lan\n    to: server:1200\n    fields: { ipv4.TTL: 63 }\n'

const pcapOf = (at: string): Uint8Array => encodePcap(TALK.filter(packet => packet.at === at).map(({ bytes, after }) => ({ time: START + BigInt(after) * 1_000_000n, bytes, originalLength: bytes.length })))

t.test('a file, its URL, its bytes, and the files of two interfaces', async t => {
  const path = write(t.testdir(), TALK)
  const before = readdirSync(tmpdir()).filter(name => name.startsWith('naptlab-'))
  const captures = [path, pathToFileURL(path), readFileSync(path), { lan: pcapOf('lan'), wan: pcapOf('wan') }]
  for (const capture of captures) t.match(await expectCapture(capture, { check: CHECK }), { compared: 2, check: { result: 'held' }, text: /^✓ check check: 2 packets compared, every entry holds\n/ })
  t.same(readdirSync(tmpdir()).filter(name => name.startsWith('naptlab-')), before, 'nothing is left of the bytes')
})

t.test('a pcap is called as its file', async t => {
  const path = join(t.testdir(), 'lan.pcap')
  writeFileSync(path, pcapOf('lan'))
  t.equal((await expectCapture(path, { check: { expect: [{ packet: 'udp', at: 'lan', count: 2 }] } })).compared, 2)
})

t.test('what is not as expected is an assertion error with the report, and both sides', async t => {
  const folder = t.testdir(), path = write(folder, TALK), check = join(folder, 'ttl.yaml')
  writeFileSync(check, YAML)
  try {
    await expectCapture(path, { check })
    t.fail('it is not as expected')
  } catch (error) {
    t.ok(error instanceof AssertionError && error instanceof CaptureMismatchError)
    t.match(error, {
      code: 'ERR_ASSERTION', operator: 'expectCapture', report: { compared: 0, check: { ok: false } },
      expected: { 'expect[0]: udp at lan to server:1200': 'at least 1', 'expect[0]: lan frame 1 ipv4.TTL': '63' },
      actual: { 'expect[0]: udp at lan to server:1200': '0', 'expect[0]: lan frame 1 ipv4.TTL': '64' },
    })
    t.match(error, { message: /ttl\.yaml:2\): wanted at least 1, found none\n.*nearest is lan, frame 1.*\n.*ipv4\.TTL: wanted 63, got 64\n.*likely: one router more/ })
  }
})

t.test('a capture that breaks off is not as expected', async t => {
  const whole = readFileSync(write(t.testdir(), TALK))
  await t.rejects(expectCapture(whole.subarray(0, whole.length - 30), { check: { expect: [{ packet: 'udp', at: 'lan' }] } }), { name: 'AssertionError', message: /at byte \d+/ })
})

t.test('a golden', async t => {
  const golden = join(goldenFolder('fig2-none'), 'golden.yaml'), name = readdirSync(goldenFolder('fig2-none')).filter(file => file.endsWith('.pcapng'))
  t.match(await expectCapture(join(goldenFolder('fig2-none'), name[0]), { golden: pathToFileURL(golden) }), { check: null, golden: { result: 'equal', ok: true } })
  const path = write(t.testdir(), TALK)
  await t.rejects(expectCapture(path, { golden }), { name: 'AssertionError', expected: { 'golden fig2-none': 'equal', 'interface 101': 'captured' }, message: /✗ golden fig2-none/ })
  await t.rejects(expectCapture(path, { golden: 'none/golden.yaml' }), { name: 'AssertionError', message: /there is no such golden/ })
  await t.rejects(expectCapture(path, { check: CHECK, golden: 'none/golden.yaml' }), { message: /✓ check check(.*\n)*✗ golden none/ })
})

t.test('what cannot be asked', async t => {
  const path = write(t.testdir(), TALK)
  await t.rejects(expectCapture(path, {}), { name: 'CheckFileError', message: /nothing is expected/ })
  await t.rejects(expectCapture(path, { check: 'none/here.yaml' }), { name: 'CheckFileError', message: /none\/here\.yaml: the check file cannot be read/ })
  await t.rejects(expectCapture('none.pcapng', { check: CHECK }), { name: 'CaptureFileError' })
  await t.rejects(expectCapture(Buffer.from('this is no capture at all'), { check: CHECK }), { name: 'CaptureFileError' })
})
