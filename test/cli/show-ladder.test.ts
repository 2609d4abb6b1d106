// `naptlab show --ladder` as people run it: forms, files, selections, several captures, and what is wrong usage.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encodePcap, type CapturedPacket } from '../../captures/index.js'
import { framesOf } from '../captures/support.js'
import { naptlab } from './naptlab.js'

/** The made-up run at some interfaces, a pcap file each. @returns their paths */
function files(folder: string, ...names: readonly string[]): string[] {
  return names.map(name => {
    const packets = (framesOf().get(name) ?? []).map((packet, at): CapturedPacket => ({ ...packet, number: at + 1, originalLength: packet.bytes.length }))
    writeFileSync(join(folder, `${name}.pcap`), encodePcap(packets))
    return join(folder, `${name}.pcap`)
  })
}

t.test('text, Mermaid and SVG, on standard output or into a file', async t => {
  const folder = t.testdir(), [lan, wan] = files(folder, '104b-lan', '104b-wan')
  const text = await naptlab(['show', lan, '--with', wan, '--ladder'])
  t.same([text.code, text.stderr], [0, ''])
  t.match(text.stdout, /^104b-lan\.pcap · 104b-wan\.pcap\n\n.*192\.168\.1\.3 +104b +130\.74\.23\.6/)
  t.match(text.stdout, /├─+ 2000→1200 ─+►├─+ 3400→1200 ─+►│.*udp .* ×3\n/)
  t.notOk(text.stdout.includes('\x1b'), 'no colours in a pipe')
  t.match((await naptlab(['show', lan, '--with', wan, '--ladder', 'mermaid', '--title', 'mine'])).stdout, /^sequenceDiagram\n {2}title mine\n {2}participant L1 as 192\.168\.1\.3\n {2}participant L2 as ⇄ 104b<br\/>202/)
  const picture = join(folder, 'run.svg')
  t.same(await naptlab(['show', lan, '--with', wan, '--ladder', '-o', picture]), { code: 0, stdout: '', stderr: '' })
  t.match(readFileSync(picture, 'utf8'), /^<svg .*<title>104b-lan\.pcap · 104b-wan\.pcap<\/title>.*<\/svg>\n$/s)
  t.match(readFileSync(picture, 'utf8'), /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/)
  await naptlab(['show', lan, '--ladder', '-o', join(folder, 'run.mmd')])
  t.match(readFileSync(join(folder, 'run.mmd'), 'utf8'), /^sequenceDiagram\n/)
})

t.test('a filter, frames, and what is folded or left out', async t => {
  const [lan] = files(t.testdir(), '104b-lan')
  const shown = async (...words: readonly string[]): Promise<string> => (await naptlab(['show', lan, ...words])).stdout
  t.match(await shown('udp', '--ladder', '--frames-shown'), /udp .*×3.*#1\n.*udp .*#\d+\n$/s)
  t.match(await shown('--ladder', '--frames', '1-2'), /├─+ 2000→1200 ─+►│ .* ×2\n$/)
  t.match(await shown('--ladder', '--max', '2'), /left out: 1 line and \d+ packets from frame \d+ on\n$/)
  t.match(await shown('--ladder', '--lanes', '1'), /others/)
  t.ok((await shown('--ladder', '--all')).split('\n').length > (await shown('--ladder')).split('\n').length)
  t.match(await shown('port 7', '--ladder'), /there is no packet to draw\n$/)
})

t.test('wrong usage ends with 2 and writes nothing; damage with 1, and what was good', async t => {
  const folder = t.testdir(), [lan] = files(folder, '104b-lan'), picture = join(folder, 'run.svg')
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['-o', picture], /--output belongs to a ladder; give --ladder too/],
    [['--ladder', 'udp'], /--ladder udp: that is no form of a ladder \(text, mermaid, svg\)/],
    [['--ladder', '--json'], /--ladder is a form of its own/],
    [['--ladder', '--max', '0'], /--max: '0' is not a number from 1/],
    [['--ladder', '--with', join(folder, 'nowhere.pcap'), '-o', picture], /nowhere\.pcap.*cannot be read/],
    [['--ladder', '-o', join(folder, 'no', 'run.svg')], /run\.svg cannot be written: ENOENT/],
  ]
  for (const [words, message] of wrong) {
    const { code, stderr, stdout } = await naptlab(['show', lan, ...words])
    t.same([code, stdout], [2, ''], words.join(' '))
    t.match(stderr, message)
  }
  t.notOk(existsSync(picture))
  const cut = join(folder, 'cut.pcap')
  writeFileSync(cut, readFileSync(lan).subarray(0, -5))
  const damaged = await naptlab(['show', cut, '--ladder'])
  t.equal(damaged.code, 1)
  t.match(damaged.stderr, /cut\.pcap: at byte \d+/)
  t.match(damaged.stdout, /2000→1200/)
})
