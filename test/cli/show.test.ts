// `naptlab show` as people run it: exit codes, what goes to which output, pipes that end early, and its memory.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMENT, goldenPackets, NAMES, writeFile } from '../captures/capture-files.js'
import { parseEndpoint } from '../../napt/wire/address.js'
import { udpFrame } from '../../napt/wire/frame.js'
import { NAPTLAB, naptlab } from './naptlab.js'

t.test('a run: lines, a filter, one packet, JSON', async t => {
  const file = join(t.testdir(), 'run.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen, { names: NAMES, comment: at => at === 5 ? COMMENT : '' })
  const all = await naptlab(['show', file])
  t.same([all.code, all.stderr], [0, ''])
  t.equal(all.stdout.split('\n').length - 1, seen.length)
  t.notOk(all.stdout.includes('\x1b'), 'no colours in a pipe')
  const dropped = await naptlab(['show', file, 'dropped', 'filtered'])
  t.match(dropped.stdout, /^ +6 .*\[104b dropped: filtered\]\n$/)
  const one = await naptlab(['show', file, '-v', '--frames', '6'])
  t.match(one.stdout, /ipv4, checksum right|arp\n/)
  t.match(one.stdout, /rule {5}RFC 4787 REQ-8/)
  const json = await naptlab(['show', file, 'packet 201', '--json', '-c', '1'])
  t.match(JSON.parse(json.stdout), { name: '201 equipment registration' })
})

t.test('wrong usage ends with 2, damage with 1 and what was good', async t => {
  const folder = t.testdir(), file = join(folder, 'run.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen.slice(0, 20))
  const cut = join(folder, 'cut.pcapng'), none = join(folder, 'none.pcap'), keys = join(folder, 'no.log')
  writeFileSync(cut, readFileSync(file).subarray(0, -7))
  writeFileSync(none, 'this is a letter to somebody')
  writeFileSync(keys, 'nor is this a key log\n')
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['show'], /Not enough non-option arguments/],
    [['show', file, 'udp prot 53'], /the filter, at character 5: 'prot' cannot stand here; expected and, or, or the end\n {2}udp prot 53\n {6}\^/],
    [['show', file, 'dropped because'], /or a reason: truncated, malformed/],
    [['show', file, '--frames', 'all'], /--frames: 'all' names no frames/],
    [['show', file, '--count', '0'], /--count: '0'/],
    [['show', file, '--keys', keys], /no\.log, line 1/],
    [['show', join(folder, 'nowhere.pcap')], /nowhere\.pcap.*cannot be read/],
    [['show', none], /none\.pcap: at byte 0/],
  ]
  for (const [args, message] of wrong) {
    const { code, stderr, stdout } = await naptlab(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
    t.equal(stdout, '')
  }
  const damaged = await naptlab(['show', cut])
  t.equal(damaged.code, 1)
  t.equal(damaged.stdout.split('\n').length - 1, 19)
  t.match(damaged.stderr, /cut\.pcapng: at byte \d+: the file ends \d+ bytes into a block/)
  const nobody = await naptlab(['show', file, 'host 103'])
  t.same([nobody.code, nobody.stdout], [0, ''])
  t.match(nobody.stderr, /no address is called 103 in this file/)
})

t.test('a pipe: from standard input, and to a reader that leaves', async t => {
  const folder = t.testdir(), file = join(folder, 'run.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, Array.from({ length: 40 }, () => seen).flat())
  const child = spawn('sh', ['-c', `cat '${file}' | '${process.execPath}' '${NAPTLAB}' show - 2>&1 | head -2; echo end`], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => { text += piece })
  await once(child, 'close')
  t.match(text, /^ {5}1 .*\n {5}2 .*\nend\n$/)
})

t.test('memory does not grow with the file', async t => {
  const folder = t.testdir(), file = join(folder, 'large.pcapng')
  const large = udpFrame(parseEndpoint('192.168.1.3:2000'), parseEndpoint('130.74.23.6:9'), new Uint8Array(60_000))
  writeFile(file, [], { more: new Array<Uint8Array>(4000).fill(large) }) // 240 MB
  const script = `process.on('exit', () => process.stderr.write(String(process.resourceUsage().maxRSS)))`
  writeFileSync(join(folder, 'rss.mjs'), script)
  const child = spawn(process.execPath, ['--import', join(folder, 'rss.mjs'), NAPTLAB, 'show', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => { text += piece })
  await once(child, 'close')
  const megabytes = Number(text) / 1024
  t.ok(megabytes > 20 && megabytes < 200, `${megabytes.toFixed(0)} MB`)
})
