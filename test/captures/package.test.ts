// What the package is to others: its types, its schema, its files.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))

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
  const { stdout } = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--types', 'node', join(folder, 'consumer.mts')], { cwd: root }).catch((error: unknown) => error as { stdout: string })
  t.equal(stdout, '')
})

t.test('the package holds what it says', async t => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, maxBuffer: 1 << 24 })
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  for (const path of ['captures/check/check.schema.json', 'dist/captures/index.js', 'dist/captures/index.d.ts', 'dist/captures/expect.d.ts', 'docs/checks.md']) t.ok(paths.includes(path), path)
  t.same(paths.filter(path => path.startsWith('docs/examples/')), [], 'examples stay in the repository')
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, string> }
  for (const path of Object.values(exports)) t.ok(paths.includes(path.replace('./', '')), path)
})
