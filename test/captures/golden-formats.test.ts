// Reports on goldens for machines: TAP, read by tap's own parser, and JUnit XML.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { checkGolden, goldensToJunit, goldensToTap, pointsOf, recordGolden, type GoldenReport } from '../../captures/index.js'
import { capturesOf, framesOf, testDecoder } from './support.js'

const golden = recordGolden(await capturesOf(), { name: 'call <1> & #2', decoder: testDecoder, periodic: ['201'] })
const check = async (frames = framesOf(), more: { partial?: boolean } = {}): Promise<GoldenReport> => checkGolden(await capturesOf(frames), golden, { decoder: testDecoder, ...more })

/** One packet wrong in itself, one missing, one that is unexpected. */
function spoilt(): ReturnType<typeof framesOf> {
  const frames = framesOf()
  const [wan, lan] = [frames.get('104a-wan')!, frames.get('104b-lan')!]
  wan[0].bytes[24] ^= 1
  frames.set('104b-lan', lan.filter(({ bytes }) => bytes[42] !== 205 || bytes[23] !== 17))
  frames.get('101')!.push({ time: 9n, bytes: Uint8Array.from(frames.get('103')![0].bytes) })
  return frames
}

const PARSER = fileURLToPath(new URL('../../../node_modules/.bin/tap-parser', import.meta.url))
interface Verdict { readonly ok: boolean, readonly count: number, readonly pass: number, readonly fail: number, readonly skip: number, readonly failures: readonly object[] }

/** What tap's parser says of each subtest, and of all. */
function parseTap(text: string): { subtests: Verdict[], all: Verdict, noise: unknown[] } {
  const { stdout } = spawnSync(process.execPath, [PARSER, '-j', '--strict'], { input: text, encoding: 'utf8' })
  const events = JSON.parse(stdout) as [string, unknown][]
  const complete = (list: [string, unknown][]): Verdict => list.find(([kind]) => kind === 'complete')![1] as Verdict
  const children = events.filter(([kind]) => kind === 'child').map(([, list]) => list as [string, unknown][])
  return { all: complete(events), subtests: children.map(complete), noise: [events, ...children].flat().filter(([kind]) => kind === 'extra') }
}

t.test('TAP', async t => {
  const reports = [await check(), await check(spoilt())], text = goldensToTap(reports)
  t.match(text, /^TAP version 14\n1\.\.2\n/)
  const { all, subtests, noise } = parseTap(text)
  t.match(all, { ok: false, count: 2, pass: 1, fail: 1 })
  t.same(noise, [], 'every line is one of TAP')
  t.match(subtests, [{ ok: true, fail: 0, count: pointsOf(reports[0]).length }, { ok: false, fail: 3, count: pointsOf(reports[1]).length }])
  const failures = JSON.stringify(subtests[1].failures)
  for (const words of ['ipv4 checksum', '← 205 connection request notification', 'unexpected', '104a-wan whole, all checksums right']) t.match(failures, words)
  const one = parseTap(goldensToTap([await check(new Map([...framesOf()].slice(0, 2)), { partial: true })], true))
  t.match(one, { all: { ok: true }, subtests: [{ skip: 5 }] }, 'what was not captured is skipped where it may be')
  const none = parseTap(goldensToTap([checkGolden(new Map(), null, { decoder: testDecoder }, 'none'), await check(new Map())]))
  t.match(none, { all: { ok: false, fail: 2 } }, 'no golden, and nothing compared')
})

/** Throws unless every element ends where it must; gives the start tags' attributes by element. */
function parseXml(text: string): { name: string, attributes: Record<string, string> }[] {
  const open: string[] = [], elements: { name: string, attributes: Record<string, string> }[] = []
  const rest = text.replace(/<(\?xml [^>]*\?|\/?[a-z]+(?: [a-z]+="[^"<]*")*\/?)>/g, (_tag, inside: string) => {
    if (inside.startsWith('?')) return ''
    const name = /[a-z]+/.exec(inside)![0]
    if (inside.startsWith('/')) {
      if (open.pop() !== name) throw new Error(`</${name}> ends nothing`)
      return ''
    }
    elements.push({ name, attributes: Object.fromEntries([...inside.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])) })
    if (!inside.endsWith('/')) open.push(name)
    return ''
  })
  if (open.length > 0) throw new Error(`<${open.join('><')}> does not end`)
  const bad = /[<>]|&(?!(?:amp|lt|gt|quot);)|[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(rest + elements.map(each => Object.values(each.attributes).join('')).join(''))
  if (bad !== null) throw new Error(`${JSON.stringify(bad[0])} must not stand in XML`)
  return elements
}

t.test('JUnit', async t => {
  const reports = [await check(), await check(spoilt()), await check(new Map([...framesOf()].slice(0, 2)), { partial: true })], text = goldensToJunit(reports, true)
  const elements = parseXml(text), named = (name: string) => elements.filter(each => each.name === name)
  const [total] = named('testsuites'), suites = named('testsuite')
  const sum = (key: string): number => suites.reduce((all, { attributes }) => all + Number(attributes[key]), 0)
  t.same(suites.map(({ attributes }) => [attributes.tests, attributes.failures, attributes.skipped].map(Number)), reports.map((report, at) => [pointsOf(report).length, [0, 3, 0][at], [0, 0, 5][at]]))
  t.equal(Number(total.attributes.tests), sum('tests'))
  t.equal(named('testcase').length, sum('tests'))
  t.equal(named('failure').length, 3)
  t.equal(Number(total.attributes.failures), 3)
  t.equal(named('skipped').length, 5)
  t.match(text, 'golden call &lt;1&gt; &amp; #2')
  t.throws(() => parseXml('<a><b></a>'), /ends nothing/, 'the parser of this test can fail')

  const control = checkGolden(await capturesOf(new Map([['a\u0007"<b>', framesOf().get('101')!]])), golden, { decoder: testDecoder })
  t.match(parseXml(goldensToJunit([control])).map(({ attributes }) => attributes.name).join(' '), /a\\u0007&quot;&lt;b&gt; whole/)
  t.match(parseTap(goldensToTap([control])), { all: { ok: false, count: 1 }, noise: [] })
})
