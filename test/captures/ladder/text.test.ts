// Ladders as text: each shape drawn to the letter on small inputs, and never wider than the terminal.
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { Folding, foldRepeats, ladderToText, LadderText, type LadderEntry, type LadderPacket, type LadderStep, type Lane } from '../../../captures/index.js'
import { displayWidth, fit, printable } from '../../../captures/decode/text-width.js'

const lanes: readonly Lane[] = [
  { name: '102', address: '192.168.1.11' }, { name: '104a', address: '4.17.168.2' }, { name: '101', address: '130.74.23.6' },
  { name: '104b', address: '202.204.16.13' }, { name: '103', address: '192.168.1.3' },
]
const packet = (time: number, path: readonly string[], labels: readonly string[], title: string, more: Partial<LadderPacket> = {}): LadderPacket => ({
  kind: 'packet', time: BigInt(time) * 1_000_000n, title, figures: [], size: 0, count: 1, isRepeat: false, isDetail: false,
  hops: labels.map((label, at) => ({ from: path[at], to: path[at + 1], label })), ...more,
})
const step = (time: number, lane: string, name: string, note: string): LadderStep => ({ kind: 'step', time: BigInt(time) * 1_000_000n, lane, name, note })
const good = (...figures: string[]): { figures: { figure: string, ok: boolean }[] } => ({ figures: figures.map(figure => ({ figure, ok: true })) })

const entries: readonly LadderEntry[] = [
  packet(12, ['103', '104b', '101'], ['2000→1200', '3400→1200'], '201 equipment registration', { ...good('7A', '7B'), count: 12 }),
  step(12, '101', 'S202', '2133 = 202.204.16.13:3400'),
  packet(31, ['102', '104a', '101'], ['1500→1201', '7000→1201'], '211 TCP connection start'),
  packet(32, ['101', '104a', '102'], ['1201→7000', '1201→1500'], 'TCP handshake of 211', { isDetail: true }),
  packet(34, ['101', '104b', '103'], ['1200→3400', '1200→2000'], '205 connection request notification', { figures: [{ figure: '8A', ok: true }, { figure: '8B', ok: false }] }),
  packet(1040, ['103', '104b', '104a', '102'], ['65535→5000', '2402→5000', '2402→1600'], 'S209 data', { size: 20_480 }),
  step(1041, '102', 'S209', '20480 bytes arrived'),
  packet(1050, ['101', '104b'], ['9→3400'], 'udp data', { drop: { lane: '104b', reason: 'no mapping has this port, or its filter does not let the sender in (RFC 4787 REQ-8)' } }),
]
const ladder = { title: 'naptlab run fig2 · seed 1', lanes, entries }

t.test('beside the lanes', async t => {
  t.equal(ladderToText(ladder), `\
naptlab run fig2 · seed 1

        102           104a            101           104b            103
   192.168.1.11    4.17.168.2     130.74.23.6   202.204.16.13   192.168.1.3
    ms   │              │              │              │              │
     0   │              │              │◄─ 3400→1200 ─┤◄─ 2000→1200 ─┤  201 equipment registration ×12  7A ✓ 7B ✓
         │              │         S202 ●              │              │      2133 = 202.204.16.13:3400
    19   ├─ 1500→1201 ─►├─ 7000→1201 ─►│              │              │  211 TCP connection start
    22   │              │              ├─ 1200→3400 ─►├─ 1200→2000 ─►│  205 connection request notification  8A ✓ 8B ✗
  1028   │◄─ 2402→1600 ─┤◄─────────────┼── 2402→5000 ─┤◄ 65535→5000 ─┤  S209 data, 20.5 kB
         ● S209         │              │              │              │      20480 bytes arrived
  1038   │              │              ├─── 9→3400 ──►✗              │  udp data
         │              │              │              │              │      dropped: no mapping has this port, or its
         │              │              │              │              │      filter does not let the sender in (RFC 4787
         │              │              │              │              │      REQ-8)
`)
})

t.test('above the arrows, and as a list', async t => {
  const first = { ...ladder, entries: entries.slice(0, 3) }
  t.equal(ladderToText(first, { width: 90 }), `\
naptlab run fig2 · seed 1

        102           104a            101           104b            103
   192.168.1.11    4.17.168.2     130.74.23.6   202.204.16.13   192.168.1.3
    ms   │              │              │              │              │
       201 equipment registration ×12  7A ✓ 7B ✓
     0   │              │              │◄─ 3400→1200 ─┤◄─ 2000→1200 ─┤
           2133 = 202.204.16.13:3400
         │              │         S202 ●              │              │
       211 TCP connection start
    19   ├─ 1500→1201 ─►├─ 7000→1201 ─►│              │              │
`)
  t.equal(ladderToText(first, { width: 60 }), `\
naptlab run fig2 · seed 1

102     192.168.1.11
104a    4.17.168.2
101     130.74.23.6
104b    202.204.16.13
103     192.168.1.3

     0  103 → 104b → 101  201 equipment registration ×12
            7A ✓ 7B ✓
        101 S202      2133 = 202.204.16.13:3400
    19  102 → 104a → 101  211 TCP connection start
`)
})

t.test('no line is wider than the terminal', async t => {
  const wide = { ...ladder, title: '題'.repeat(100), entries: [...entries, step(2000, '103', 'S207', '電'.repeat(70)), packet(2001, ['102', '104a'], ['1→2'], 'x'.repeat(300))] }
  for (let width = 20; width <= 180; width++) {
    const widest = Math.max(...ladderToText(wide, { width, detail: true }).split('\n').map(displayWidth))
    if (widest > width) t.fail(`${widest} columns at ${width}`)
  }
  t.pass('20 to 180 columns')
})

t.test('colour only when asked, and it moves nothing', async t => {
  const plain = ladderToText(ladder), coloured = ladderToText(ladder, { colour: true })
  t.notOk(plain.includes('\x1b'))
  t.match(coloured, '\x1b[32m8A ✓\x1b[0m')
  t.match(coloured, '\x1b[31m8B ✗\x1b[0m')
  t.equal(stripVTControlCharacters(coloured), plain)
})

t.test('details when asked, and line by line', async t => {
  const text = new LadderText(lanes, 0n, { detail: true })
  t.equal(text.header('x').length, 5)
  t.match(text.entry(entries[3]), [/^ {4}32 {3}│◄─ 1201→1500 ─┤◄─ 1201→7000 ─┤ .* TCP handshake of 211$/])
  t.same(new LadderText(lanes, 0n).entry(entries[3]), [])
})

t.test('what comes from the network steers no terminal', async t => {
  const text = ladderToText({ ...ladder, entries: [step(0, '101', 'S202', 'a\x1b[31mb\u202e = 1')] })
  t.notMatch(text, /\u202e/)
  t.match(text, 'a\\u001b[31mb\\u202e = 1')
})

t.test('folding of a finished ladder', async t => {
  const same = (time: number): LadderPacket => packet(time, ['103', '104b'], ['1→2'], 'S209 data', { size: 10 })
  const detail = packet(5, ['104b', '103'], ['2→1'], 'TCP acknowledgement', { isDetail: true })
  const folded = foldRepeats([same(1), detail, same(2), same(3), entries[1], same(4)])
  t.match(folded, [{ count: 3, size: 30, time: 1_000_000n }, { isDetail: true }, { kind: 'step' }, { count: 1, size: 10 }])
  t.equal(folded.length, 4)
})

t.test('folding of a live one: the first at once, the others counted', async t => {
  const same = (time: number): LadderPacket => packet(time, ['103', '104b'], ['1→2'], '201 equipment registration')
  const folding = new Folding()
  t.same(folding.push(same(1)), [same(1)])
  t.same([folding.push(same(2)), folding.push(same(3))], [[], []])
  t.match(folding.push(entries[2]), [{ title: '201 equipment registration', count: 2, isRepeat: true, time: 2_000_000n }, { title: '211 TCP connection start' }])
  t.same(folding.flush(), [])
  t.match(new LadderText(lanes, 0n).entry({ ...same(2), count: 2, isRepeat: true })[0], '201 equipment registration ×2 more')
})

t.test('widths', async t => {
  const cases: [string, number][] = [['abc→', 4], ['日本', 4], ['e\u0301', 1], ['👩‍💻', 2], ['✓ ✗ ●', 5], ['', 0], ['ｱ', 1], ['한', 2]]
  for (const [text, width] of cases) t.equal(displayWidth(text), width, text)
  t.same([fit('abcdef', 4), fit('日本語', 4), fit('abc', 3), fit('abc', 0)], ['abc…', '日…', 'abc', ''])
  t.equal(printable('a\nb'), 'a\\u000ab')
})
