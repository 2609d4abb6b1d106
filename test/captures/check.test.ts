// `naptlab check`: the files of a run, wrong usage, damaged files; the same through the command line.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { checkFiles, encodePcap, formatFileCheck, nameInterfaces, readGolden, recordGolden, writeGolden } from '../../captures/index.js'
import { capturesOf, framesOf, PASSWORD, testDecoder } from './support.js'

/** A folder with the captures of the run, and their paths. */
function folder(t: { testdir(): string }): { dir: string, paths: string[] } {
  const dir = t.testdir()
  const paths = [...framesOf()].map(([name, packets]) => {
    const path = join(dir, `${name}.pcap`)
    writeFileSync(path, encodePcap(packets.map(({ time, bytes }) => ({ time, bytes, originalLength: bytes.length }))))
    return path
  })
  return { dir, paths }
}

t.test('the files of a run hold, with figures and a golden', async t => {
  const { dir, paths } = folder(t)
  const golden = join(dir, 'golden.yaml')
  writeGolden(recordGolden(await capturesOf(), { name: 'fig2', decoder: testDecoder, periodic: ['201'] }), golden)
  const report = await checkFiles(nameInterfaces(paths, []), { decoder: testDecoder, figures: 'fig2', golden })
  t.equal(report.ok, true)
  const lines = formatFileCheck(report)
  t.equal(lines.filter(line => line.startsWith('✓')).length, 7 + 8 + 1, lines.join('\n'))
  t.notMatch(JSON.stringify(report), PASSWORD)
  t.equal((await checkFiles(nameInterfaces(paths.slice(0, 1), []), { decoder: testDecoder, golden })).ok, true, 'one file alone')
  t.equal(readGolden(join(dir, 'none.yaml')), null)
  const none = await checkFiles(nameInterfaces(paths, []), { decoder: testDecoder, golden: join(dir, 'none.yaml') })
  t.equal(none.ok, false)
  t.match(formatFileCheck(none).at(-1), /there is no such golden/)
})

t.test('damage fails the check and is told with its byte', async t => {
  const { paths } = folder(t)
  const whole = readFileSync(paths[0])
  writeFileSync(paths[0], whole.subarray(0, whole.length - 3))
  const report = await checkFiles(nameInterfaces(paths, []), { decoder: testDecoder })
  t.equal(report.ok, false)
  t.match(formatFileCheck(report).join('\n'), /✗ 103: \d+ packets \(.*103\.pcap\)\n .*103\.pcap: at byte \d+: record \d+ holds \d+ of its \d+ bytes/)
  writeFileSync(paths[0], encodePcap([]))
  t.equal((await checkFiles([{ interface: '103', path: paths[0] }], { decoder: testDecoder })).ok, false, 'no packet is no pass')
  whole[whole.length - 1] ^= 1
  writeFileSync(paths[0], whole)
  t.match(formatFileCheck(await checkFiles([{ interface: '103', path: paths[0] }], { decoder: testDecoder })).at(-1), /checksum: wanted right, got wrong/)
})

t.test('which interface a file shows', async t => {
  t.same(nameInterfaces(['out/104a-lan.pcap'], ['104b-wan=x=y.pcap']), [{ interface: '104a-lan', path: 'out/104a-lan.pcap' }, { interface: '104b-wan', path: 'x=y.pcap' }])
  const cases: [string[], string[], RegExp][] = [
    [[], [], /no file to check/], [['a.pcap'], [], /a\.pcap: the name does not say.*104a-lan, .*--as 104a-lan=a\.pcap/],
    [[], ['x'], /--as x: this is not INTERFACE=FILE/], [['101.pcap'], ['101=b.pcap'], /101\.pcap and b\.pcap both show 101/],
  ]
  for (const [paths, as, sentence] of cases) t.throws(() => nameInterfaces(paths, as), { name: 'CheckUsageError', message: sentence })
})

t.test('the command: 0 all hold, 1 a check failed, 2 wrong usage', async t => {
  const { paths } = folder(t)
  const main = fileURLToPath(new URL('../../cli/naptlab.js', import.meta.url))
  const naptlab = (...args: string[]): { status: number | null, stdout: string, stderr: string } =>
    spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)) })
  const good = naptlab('check', ...paths)
  t.match(good, { status: 0, stdout: /✓ 104a-lan: \d+ packets, whole, all checksums right/ })
  const json = naptlab('check', '--as', `103=${paths[0]}`, '--figures', '--json')
  t.equal(json.status, 1, 'these captures speak another protocol than the endpoints')
  t.match(JSON.parse(json.stdout), { ok: false, figures: { ok: false, results: { length: 8 } } })
  t.match(naptlab('check', 'none/101.pcap'), { status: 2, stdout: '', stderr: /none\/101\.pcap: at byte 0: the file cannot be read/ })
  t.match(naptlab('check', 'what.pcap'), { status: 2, stderr: /--as 104a-lan=what\.pcap/ })
  t.match(naptlab('check', '--help'), { status: 0, stdout: /INTERFACE=FILE/ })
})
