// Ladders as SVG and as Mermaid: what is in them, that nothing overlaps, and that no text of a capture's leaves its place.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import t from 'tap'
import { ladderToMermaid, ladderToSvg, type Ladder, type LadderEntry, type LadderPacket } from '../../../captures/index.js'
import { displayWidth } from '../../../captures/decode/text-width.js'
import { escapeXml, textWidth, wrapped } from '../../../captures/ladder/markup.js'
import { elementsOf, type Element } from './xml.js'

const packet = (time: number, path: readonly string[], labels: readonly string[], title: string, more: Partial<LadderPacket> = {}): LadderPacket => ({
  kind: 'packet', time: BigInt(time) * 1_000_000n, title, figures: [], size: 0, count: 1, isRepeat: false, isDetail: false,
  hops: labels.map((label, at) => ({ from: path[at], to: path[at + 1], label })), ...more,
})
const LADDER: Ladder = {
  title: 'naptlab show fig2.pcapng',
  lanes: [{ name: '102', address: '192.168.1.11' }, { name: '104a', address: '4.17.168.2', isRouter: true }, { name: '101', address: '130.74.23.6' }],
  entries: [
    packet(10, ['102', '104a', '101'], ['1500→1201', '7000→1201'], '217 connection request', {
      figures: [{ figure: '7C', ok: true }, { figure: '7D', ok: false }], frames: [3, 4], count: 2, size: 90,
      hops: [{ from: '102', to: '104a', label: '1500→1201', addresses: ['192.168.1.11', '130.74.23.6'] }, { from: '104a', to: '101', label: '7000→1201', addresses: ['4.17.168.2', '130.74.23.6'] }],
    }),
    { kind: 'step', time: 11_000_000n, lane: '101', name: 'S204', note: '2133 found' },
    packet(12, ['101', '104a', '102'], ['1201→7000', '1201→1500'], 'TCP acknowledgement of 211', { isDetail: true }),
    packet(20, ['101', '104a'], ['9000→3400'], 'udp 130.74.23.6:9000 → 4.17.168.2:3400, 5 bytes', { drop: { lane: '104a', reason: 'filtered: the WAN port is mapped, but nothing was sent to the sender' } }),
    packet(30, [], [], 'arp who has 1.2.3.4? tell 5.6.7.8'),
  ],
  notes: ['left out: 7 packets from frame 9 on'],
}

/** Names and comments out of a file that mean harm. */
const HOSTILE = [
  '</text><script>alert(1)</script>', '"><rect/>', '&lt;x&gt; &#60; ]]>', "a\nend\nparticipant X", '%%{init: {"theme": "dark"}}%%', 'x; Note over L1: y', '#35; #quot;', 'style x:#fff;',
  '\u0000\u001b[31m\u202e', '\ud800 \ufffe', '<br/><img src=x onerror=alert(1)>', '---\ntitle: x\n---', 'wrap: x', '`code`', '\\', '題'.repeat(80), '',
]
const hostile = (text: string): Ladder => ({
  title: text, notes: [text], lanes: [{ name: text, address: text }, { name: `${text} 2`, address: '', isRouter: true }],
  entries: [
    packet(1, [text, `${text} 2`], [text], text, { figures: [{ figure: text, ok: true }], beside: [text], drop: { lane: `${text} 2`, reason: text }, frames: [1], hops: [{ from: text, to: `${text} 2`, label: text, addresses: [text, text] }] }),
    { kind: 'step', time: 2n, lane: text, name: text, note: text }, packet(3, [text, text], [text], text),
  ],
})

// --- SVG --------------------------------------------------------------------------------------------------------------

const contentOf = (elements: readonly Element[], style: string): string[] => elements.filter(each => each.attributes.class?.split(' ').includes(style)).map(each => each.text)

t.test('what a ladder says, its picture says', async t => {
  const elements = elementsOf(ladderToSvg(LADDER, { frames: true, subtitle: 'of today' }))
  t.same(contentOf(elements, 'title'), ['naptlab show fig2.pcapng'])
  t.same(contentOf(elements, 'lane'), ['102', '104a', '101'])
  t.same(contentOf(elements, 'name'), ['217 connection request', 'udp, 5 bytes', 'arp who has 1.2.3.4? tell 5.6.7.8'], 'details only on request; arrows say the ends')
  t.same(contentOf(elements, 'label'), ['1500 → 1201', '7000 → 1201', '3400 ← 9000'])
  t.same(contentOf(elements, 'address'), ['192.168.1.11', '4.17.168.2'], 'the addresses that the router changes')
  t.same(contentOf(elements, 'mark'), ['7C ✓', '7D ✗'])
  t.same([contentOf(elements, 'stepname'), contentOf(elements, 'reason').join(' ')], [['S204'], 'dropped: filtered: the WAN port is mapped, but nothing was sent to the sender'])
  t.same(contentOf(elements, 'small').filter(text => /frame|×|B$|found|today/.test(text)), ['of today', '×2', '90 B', 'frames 3, 4', '2133 found', 'left out: 7 packets from frame 9 on'])
  t.equal(elements.filter(each => each.name === 'path' && each.attributes.class === 'cross').length, 1)
  t.match(elements.filter(each => each.name === 'title').map(each => each.text), [
    'naptlab show fig2.pcapng', /^217 connection request · 102 → 104a: 192\.168\.1\.11:1500 → 130\.74\.23\.6:1201 · .* · frames 3, 4 and 1 more like it$/, /S204 2133 found/, /dropped at 104a: filtered/, /arp/,
  ])
  t.match(contentOf(elementsOf(ladderToSvg(LADDER, { detail: true })), 'name'), ['217 connection request', 'TCP acknowledgement of 211'])
  t.notMatch(ladderToSvg(LADDER), /frames 3, 4</, 'frame numbers beside names only on request')
})

/** Boxes of texts, as wide as the renderer thinks they are. */
function boxesOf(elements: readonly Element[]): { text: string, left: number, right: number, y: number, height: number }[] {
  const size = (style: string): number => style.includes('address') ? 9.5 : style === 'label' ? 11.5 : style === 'title' ? 17 : /small|mark|stepname|reason/.test(style) ? 11 : 13
  return elements.filter(each => each.name === 'text').map(({ attributes: { class: style = '', x, y, 'text-anchor': anchor }, text }) => {
    const width = textWidth(text, size(style), /address|label/.test(style) ? 'mono' : /title|lane|mark|stepname/.test(style) ? 'bold' : 'sans')
    const left = Number(x) - (anchor === 'middle' ? width / 2 : anchor === 'end' ? width : 0)
    return { text, left, right: left + width, y: Number(y), height: size(style) * 0.75 }
  })
}

function overlaps(svg: string): string[] {
  const elements = elementsOf(svg), boxes = boxesOf(elements), width = Number(elements[0].attributes.width), height = Number(elements[0].attributes.height)
  const outside = boxes.filter(box => box.left < 0 || box.right > width || box.y > height).map(({ text }) => `outside: ${text}`)
  return [...outside, ...boxes.flatMap((a, at) => boxes.slice(at + 1).filter(b => a.left < b.right - 1 && b.left < a.right - 1 && a.y - a.height < b.y && b.y - b.height < a.y).map(b => `${a.text} / ${b.text}`))]
}

t.test('no text lies on another or outside, whatever is written', async t => {
  const wide: Ladder = {
    ...LADDER, title: '題名'.repeat(60), lanes: [...LADDER.lanes, { name: 'a-very-long-host-name.of.somebody.example', address: '255.255.255.255' }, { name: '104b', address: '202.204.16.13', isRouter: true }],
    entries: [...LADDER.entries, packet(1_000_000, ['104b', '104a'], ['65535→65535'], 'long '.repeat(40), { count: 123_456, size: 1e9, figures: ['7A', '7B', '7C', '7D', '8A', '8B'].map(figure => ({ figure, ok: true })), frames: [1_000_000, 1_000_001, 1_000_002] }),
      packet(1_000_001, ['104a', '104b'], ['a'.repeat(30)], 'x'.repeat(300), { drop: { lane: '104b', reason: 'r'.repeat(400) } }), packet(1_000_002, ['104b', '104b'], ['1→2'], 'to itself'),
      { kind: 'step', time: 1n, lane: '102', name: 'S'.repeat(40), note: '電'.repeat(90) }],
  }
  for (const [name, ladder] of Object.entries({ small: LADDER, wide, empty: { ...LADDER, entries: [], lanes: [] }, one: { ...LADDER, lanes: LADDER.lanes.slice(0, 1) } })) {
    t.same(overlaps(ladderToSvg(ladder, { frames: true, detail: true, subtitle: 'of today' })), [], name)
  }
})

t.test('the check of overlaps sees some', async t => {
  const two = (x: number): string => `<svg width="99" height="20"><text class="small" x="0" y="9">one</text><text class="small" x="${x}" y="12">two</text></svg>`
  t.same([overlaps(two(4)), overlaps(two(50)), overlaps(two(95))], [['one / two'], [], ['outside: two']])
})

t.test('no text of a capture\'s becomes markup', async t => {
  const names = new Set(elementsOf(ladderToSvg(LADDER)).map(each => each.name))
  for (const text of HOSTILE) {
    const elements = elementsOf(ladderToSvg(hostile(text), { frames: true, detail: true, subtitle: text }))
    t.same([...new Set(elements.map(each => each.name))].filter(name => !names.has(name)), [], JSON.stringify(text))
  }
  t.equal(escapeXml('a<b>&"c\u0007\ud800'), 'a&lt;b&gt;&amp;&quot;c\\u0007\ufffd')
})

const RSVG = '/usr/bin/rsvg-convert'
t.test('rsvg-convert renders it', { skip: existsSync(RSVG) ? false : 'rsvg-convert is not here' }, async t => {
  for (const text of ['plain', ...HOSTILE]) {
    const png = execFileSync(RSVG, { input: ladderToSvg(hostile(text), { detail: true }), maxBuffer: 1 << 26 })
    t.ok(png.subarray(1, 4).equals(Buffer.from('PNG')), JSON.stringify(text))
  }
})

t.test('words on lines', async t => {
  t.same(wrapped('one two three', textWidth('one two', 13, 'sans'), 13, 'sans'), ['one two', 'three'])
  t.ok(wrapped('x'.repeat(100), 100, 13, 'sans').every(line => textWidth(line, 13, 'sans') <= 100))
  t.same(wrapped('', 100, 13, 'sans'), [])
  t.ok(textWidth('題', 10, 'mono') > textWidth('x', 10, 'mono') && displayWidth('題') === 2)
})

// --- Mermaid ----------------------------------------------------------------------------------------------------------

/** The part of Mermaid's grammar for sequence diagrams that is used, and not a word more; a text is what its lexer takes as one. */
const TEXT = String.raw`(?:[^#;\n%{}<>"\`\\]|#\d+;)+`
const STATEMENTS = {
  title: new RegExp(`^  title ${TEXT}$`), participant: new RegExp(`^  participant L\\d+ as ${TEXT}(?:<br/>${TEXT})?$`),
  message: new RegExp(`^  (L\\d+)(?:->>|--x)(L\\d+): ${TEXT}$`), note: new RegExp(`^  Note over (L\\d+)(?:,(L\\d+))?: ${TEXT}$`),
}

function statementsOf(text: string): (keyof typeof STATEMENTS)[] {
  const [head, ...lines] = text.slice(0, -1).split('\n')
  if (head !== 'sequenceDiagram' || !text.endsWith('\n')) throw new Error(`no sequence diagram: ${head}`)
  const known = new Set(lines.flatMap(line => /^ {2}participant (L\d+) /.exec(line)?.[1] ?? []))
  return lines.map(line => {
    const found = Object.entries(STATEMENTS).find(([, pattern]) => pattern.test(line))
    if (found === undefined) throw new Error(`not Mermaid: ${line}`)
    const ids = found[0] === 'message' || found[0] === 'note' ? line.split(':')[0].matchAll(/\bL\d+\b/g) : []
    for (const [id] of ids) if (!known.has(id)) throw new Error(`${id} is nobody: ${line}`)
    return found[0] as keyof typeof STATEMENTS
  })
}

t.test('as Mermaid', async t => {
  t.equal(ladderToMermaid(LADDER, { frames: true }), `\
sequenceDiagram
  title naptlab show fig2.pcapng
  participant L1 as 102<br/>192.168.1.11
  participant L2 as ⇄ 104a<br/>4.17.168.2
  participant L3 as 101<br/>130.74.23.6
  L1->>L2: 1500→1201 · 217 connection request ×2 90 B 7C ✓ 7D ✗ frame 3, 4
  L2->>L3: 7000→1201
  Note over L3: S204 · 2133 found
  L3--xL2: 9000→3400 · udp, 5 bytes
  Note over L2: dropped: filtered: the WAN port is mapped, but nothing was sent to the sender
  Note over L1,L3: left out: 7 packets from frame 9 on
`)
  t.same(statementsOf(ladderToMermaid(LADDER, { detail: true })).filter(each => each === 'message').length, 5)
})

t.test('no text of a capture\'s becomes a statement', async t => {
  for (const text of HOSTILE) {
    const written = ladderToMermaid(hostile(text), { detail: true, frames: true })
    t.same(statementsOf(written), ['title', 'participant', 'participant', 'message', 'note', 'note', 'message', 'note'], JSON.stringify(text))
    t.notMatch(written, /style.*:\S*#.*;|:\s*(no)?wrap:/i, 'and nothing that Mermaid takes out beforehand')
  }
  t.throws(() => statementsOf('sequenceDiagram\n  L1->>L2: x\n'), 'the check itself sees a stranger')
  t.throws(() => statementsOf('sequenceDiagram\n  title a;b\n'), 'and a second statement')
})

t.test('every kind of entry in either', async t => {
  const none: readonly LadderEntry[] = []
  t.match(ladderToMermaid({ title: '', lanes: [], entries: none, notes: ['x'] }), /^sequenceDiagram\n {2}title -\n$/)
  t.ok(elementsOf(ladderToSvg({ title: '', lanes: [], entries: none })).length > 0)
})
