// The examples of docs/examples, as people run them: they pass, and they fail when the capture is another one. And what the package
// is to others: its types, its schema, its files.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { CaptureStream, PcapngWriter, type InterfacePacket } from '../../captures/index.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const example = (name: string): string => join(root, 'docs', 'examples', name)

const RUNNERS = [['node:test', ['--test', example('call.node-test.mjs')]], ['tap', [example('call.tap.mjs')]]] as const

/** Runs a test of the examples, on another capture than its own where one is given. */
function runExample(args: readonly string[], capture?: string): { status: number | null, output: string } {
  // A test runner that runs inside another one speaks its language.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_TEST_CONTEXT|TAP_|TAP$)/.test(name)))
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: root, env: { ...env, ...(capture === undefined ? {} : { CAPTURE: capture }) } })
  return { status, output: stdout + stderr }
}

/** A copy of the example's capture in which `change` has its way with every packet; null leaves it out. */
async function changed(folder: string, change: (packet: InterfacePacket) => Uint8Array | null): Promise<string> {
  const stream = await CaptureStream.open(example('call.pcapng')), writer = new PcapngWriter(join(folder, 'changed.pcapng'))
  const known = new Map<number, number>()
  for await (const batch of stream.batches()) {
    for (const packet of batch) {
      const { interface: from, time, packetId } = packet, bytes = change(packet)
      if (!known.has(from.id)) known.set(from.id, writer.interface(from))
      if (bytes !== null) writer.packet(bytes, { interfaceId: known.get(from.id)!, time, ...(packetId === null ? {} : { packetId }) })
    }
  }
  writer.close()
  return writer.path
}

const says = ({ bytes }: InterfacePacket, text: string): boolean => Buffer.from(bytes).includes(text)

for (const [name, args] of RUNNERS) {
  t.test(`the example for ${name} passes, and fails when the capture is another one`, async t => {
    const good = runExample(args)
    t.equal(good.status, 0, good.output)
    const unpunched = runExample(args, await changed(t.testdir(), packet => says(packet, 'PUNCH') && !says(packet, 'PUNCHED') ? null : packet.bytes))
    t.equal(unpunched.status, 1, unpunched.output)
    t.match(unpunched.output, /✗ alice opens her NAT from the port that the server saw \(expect\[2\], .*call\.yaml:\d+\): wanted at least 1, found none/)
    t.match(unpunched.output, /missing at 104a-wan/)
    const bent = runExample(args, await changed(t.testdir(), packet => says(packet, 'HELLO bob') ? Uint8Array.from(packet.bytes, (byte, at) => at === packet.bytes.length - 1 ? 0x42 : byte) : packet.bytes))
    t.equal(bent.status, 1, bent.output)
    t.match(bent.output, /payload at byte 0: wanted "HELLO bob", got "HELLO boB"/)
  })
}

t.test('types resolve for those who use the package', async t => {
  const folder = t.testdir({
    'consumer.mts': `import { expectCapture, CaptureMismatchError, type CaptureReport, type CheckDescription } from 'naptlab/captures'
const check: CheckDescription = { names: { server: '130.74.23.6' }, expect: [{ packet: 'udp', to: 'server:1200', count: { 'at least': 1 } }] }
const report: CaptureReport = await expectCapture({ lan: 'lan.pcap', wan: new Uint8Array(0) }, { check, golden: 'goldens/call' })
export const compared: number = report.compared
export const isMismatch = (error: unknown): boolean => error instanceof CaptureMismatchError && error.report.text !== ''
// @ts-expect-error there is no such kind of packet
export const wrong: CheckDescription = { expect: [{ packet: 'upd' }] }
`,
  })
  const result = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--types', 'node', join(folder, 'consumer.mts')], { encoding: 'utf8', cwd: folder })
  t.equal(result.status, 0, result.stdout)
})

t.test('the package holds what it says', async t => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8', cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  for (const path of ['captures/check/check.schema.json', 'dist/captures/index.js', 'dist/captures/index.d.ts', 'dist/captures/expect.d.ts', 'docs/checks.md', 'docs/golden.md']) t.ok(paths.includes(path), path)
  t.same(paths.filter(path => path.startsWith('docs/examples/')), [], 'examples stay in the repository')
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, string> }
  for (const path of Object.values(exports)) t.ok(paths.includes(path.replace('./', '')), path)
})
