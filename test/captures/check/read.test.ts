// Reading check files: every problem with its line and column; the JSON Schema says the same as the reader.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { decode } from '../../../captures/index.js'
import { CHECK_FIELDS } from '../../../captures/check/fields.js'
import { CHECK_SHAPE } from '../../../captures/check/format.js'
import { parseCheck, readCheck } from '../../../captures/check/read.js'
import { toJsonSchema } from '../../../captures/check/shape.js'
import { writeDocument } from './document.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../../napt/wire/frame.js'
import { parseEndpoint, parseIpv4 } from '../../../napt/wire/address.js'

/** eslint's own; the schema is for editors, whose validators this one is like. */
const Ajv = createRequire(createRequire(import.meta.url).resolve('eslint'))('ajv') as new () => { compile(schema: object): ((value: unknown) => boolean) & { errors?: unknown } }

const root = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url))

const GOOD = `# what a question and its answer look like
$schema: ../../captures/check/check.schema.json
interfaces: { lan: 104a-lan, wan: 101 }
names: { server: 130.74.23.6 }
ordered: true
checksums: verified
expect:
  - about: the question
    packet: udp
    at: lan
    from: 192.168.1.11:$p
    to: server:1200
    payload: [{ hex: "01 .. c9" }, { hex: $id, at: 4, bytes: 12 }, { text: hi, at: anywhere }, { length: { at least: 20 } }]
    fields: { ipv4.TTL: 64, tcp.flags: SYN }
    count: 1
    translated: { at: wan, from: $nat:$q, fields: { ip.ttl: { at least: 60, at most: 63 } }, within: 5 ms }
  - { packet: tcp, message: 217, from: 10.0.0.0/8, to: ':80', within: 1.5s, count: { at least: 2 }, fields: { tcp.flags: { any of: [SYN, SYN ACK] }, ethernet.source: "02:00:00:00:00:0A", ipv4.SA: server } }
never:
  - { packet: icmp, at: wan, fields: { icmp.identifier: $p, icmp.type: { any of: [3, 11] } } }
`.replace(', tcp.flags: SYN }\n', ' }\n')

/** A document, what the reader says of it, and whether the schema, which does not look at meanings, refuses it too. */
type Row = readonly [document: string, says: string | RegExp, schema: 'refused' | 'taken']
const entry = (fields: string): string => `expect:\n  - packet: udp\n    ${fields}\n`

const BAD: readonly Row[] = [
  ['', 'c.yaml: nothing is not a set of fields (interfaces, names, checksums, ordered, expect, never)', 'refused'],
  ['[]', 'c.yaml:1:1: a list is not a set of fields', 'refused'],
  ['ordered: true', 'c.yaml:1:1: nothing is expected: put packets under expect or never', 'taken'],
  ['expect: []', 'c.yaml:1:1: nothing is expected', 'taken'],
  ['expct: []', 'c.yaml:1:1: expct: there is no such field here (known: interfaces, names, checksums, ordered, expect, never)', 'refused'],
  ['expect: 3', 'c.yaml:1:9: expect: 3 is not a list', 'refused'],
  ['expect:\n  - 3', 'c.yaml:2:5: expect[0]: 3 is not a set of fields (about, packet, at', 'refused'],
  ['expect:\n  - at: lan', 'c.yaml:2:5: expect[0]: packet is missing: The kind of packet.', 'refused'],
  ['expect:\n  - packet: upd', 'c.yaml:2:13: expect[0].packet: \'upd\' is not one of udp, tcp, icmp, arp, ipv4', 'refused'],
  ['expect:\n  - packet:', 'expect[0].packet: nothing is not one of', 'refused'],
  ['ordered: yes\nexpect: [{ packet: udp }]', 'c.yaml:1:10: ordered: \'yes\' is not true or false', 'refused'],
  ['checksums: off\nexpect: [{ packet: udp }]', '\'off\' is not verified or ignored', 'refused'],
  ['names: { server: 130.74.23.600 }\nexpect: [{ packet: udp }]', 'c.yaml:1:18: names.server: \'130.74.23.600\' is not an IPv4 address', 'taken'],
  ['names: { server: here }\nexpect: [{ packet: udp }]', '\'here\' is not an IPv4 address', 'refused'],
  ['names: { "a b": 1.2.3.4 }\nexpect: [{ packet: udp }]', 'c.yaml:1:10: names.a b: this is not a name', 'refused'],
  ['interfaces: { lan: [x] }\nexpect: [{ packet: udp }]', 'interfaces.lan: a list is not a name', 'refused'],
  ['never:\n  - { packet: udp, count: 1 }', 'never[0].count: there is no such field here', 'refused'],
  [entry('form: 1.2.3.4'), 'c.yaml:3:5: expect[0].form: there is no such field here (known: about, packet, at, from,', 'refused'],
  [entry('from: 192.168.1.11:99999'), 'c.yaml:3:11: expect[0].from: \'99999\' is not a port (1 to 65535)', 'taken'],
  [entry('from: 192.168.1.256:*'), '\'192.168.1.256\' is not an IPv4 address', 'taken'],
  [entry('from: 192.168.1.0/33'), '\'192.168.1.0/33\' is not ADDRESS/LENGTH', 'taken'],
  [entry('from: 1:2:3'), 'expect[0].from: \'1:2:3\' is not ADDRESS:PORT (such as', 'refused'],
  [entry('to: *:5000'), 'c.yaml:3:9: aliases are not read here; what begins with * stands in quotes, as in \'*:5000\'', 'refused'],
  [entry('count: 0'), '0 is not a whole number of 1 to 1000000, or a set of fields (at least, at most)', 'refused'],
  [entry('count: { at leest: 2 }'), 'c.yaml:3:14: expect[0].count.at leest: there is no such field here (known: at least, at most)', 'refused'],
  [entry('count: { at least: 3, at most: 2 }'), 'expect[0].count: at least 3 and at most 2 cannot both hold', 'taken'],
  [entry('count: {}'), 'expect[0].count: at least or at most is missing', 'taken'],
  [entry('count: { at most: 0 }'), 'at most 0 is none: put the packet under never', 'taken'],
  [entry('within: 5 minutes'), '\'5 minutes\' is not a time (such as 500 ms or 2 s)', 'refused'],
  [entry('within: 5 ms'), 'c.yaml:3:13: expect[0].within: there is no entry before the first', 'taken'],
  [entry('translated: { from: a:1 }'), 'expect[0].translated: at is missing', 'refused'],
  [entry('translated: { at: wan }'), 'c.yaml:2:5: expect[0]: at is missing: on which side', 'taken'],
  [entry('payload: { hex: "0" }'), 'expect[0].payload.hex: \'0\' is not bytes in hexadecimal', 'refused'],
  [entry('payload: [{ hex: "00" }, { hex: zz }]'), 'expect[0].payload[1].hex: \'zz\' is not bytes', 'refused'],
  [entry('payload: { hex: "00", text: a }'), 'expect[0].payload: give hex or text', 'taken'],
  [entry('payload: { at: 3 }'), 'hex, text or length is missing', 'taken'],
  [entry('payload: { hex: $id }'), 'bytes is missing: how many $id stands for', 'taken'],
  [entry('payload: { hex: "00", bytes: 4 }'), 'bytes goes with a symbol', 'taken'],
  [entry('payload: { hex: $id, bytes: 4, at: anywhere }'), 'c.yaml:3:40: expect[0].payload.at: a symbol has one place', 'taken'],
  [entry('fields: { udp.PS: 3 }'), 'c.yaml:3:15: expect[0].fields.udp.PS: there is no such field here (known: ethernet.destination', 'refused'],
  [entry('fields: { tcp.SP: 3 }'), 'expect[0].fields.tcp.SP: a packet of udp has no such field', 'taken'],
  [entry('fields: { ipv4.TTL: 256 }'), '256 is not a whole number of 0 to 255, or a symbol', 'refused'],
  [entry('fields: { ipv4.TTL: { any of: [] } }'), 'any of nothing', 'taken'],
  [entry('fields: { ipv4.TTL: { any of: [$a] } }'), 'any of takes values', 'taken'],
  [entry('fields: { ipv4.SA: "1.2.3.4:80" }'), 'this field is an address without a port', 'taken'],
  [entry('fields: { ethernet.source: 02-00 }'), '\'02-00\' is not a MAC address', 'refused'],
  [entry('from: 1.2.3.4:$x\n    to: $x'), 'c.yaml:4:9: expect[0].to: $x stands for an address here, and for a number at c.yaml:3', 'taken'],
  ['expect: [{ packet: icmp, from: "1.2.3.4:5" }]', 'icmp has no ports', 'taken'],
  ['expect: [{ packet: arp, from: 1.2.3.4 }]', 'arp has no ends: name its fields', 'taken'],
  ['expect: [{ packet: icmp, message: 201 }]', 'icmp carries no message', 'taken'],
  ['expect: [{ packet: tcp, fields: { tcp.flags: SYN,ACK } }]', 'expect[0].fields.ACK: there is no such field', 'refused'],
  ['expect: [{ packet: tcp, fields: { tcp.flags: syn } }]', '\'syn\' is not TCP flags (such as SYN ACK)', 'refused'],
  ['expect: [{ packet: udp }', /^c\.yaml:1:\d+: this is not YAML: /, 'refused'],
  ['names: { a: 1.2.3.4, a: 1.2.3.5 }\nexpect: [{ packet: udp }]', /c\.yaml:1:\d+: this is not YAML: Map keys must be unique/, 'refused'],
  ['a: 1\nexpect: [{ packet: upd }]\nordered: 3', /c\.yaml:1:1: a: .*\nc\.yaml:2:20: expect\[0\]\.packet: .*\nc\.yaml:3:10: ordered: /, 'refused'],
]

t.test('a good document is read', async t => {
  const { expect, never, ordered } = parseCheck(GOOD, 'c.yaml')
  t.equal(ordered, true)
  t.match(expect[0], {
    about: 'the question', place: 'c.yaml:8', at: '104a-lan', count: { least: 1, most: 1 }, translated: { at: '101', within: 5_000_000n, fields: [
      { field: 'ipv4.SA', wanted: { kind: 'symbol', name: '$nat' } }, { field: 'udp.SP', wanted: { kind: 'symbol', name: '$q' } },
      { field: 'ipv4.TTL', wanted: { kind: 'range', least: 60, most: 63 } },
    ] },
    fields: [
      { field: 'ipv4.SA', wanted: { of: ['192.168.1.11'] } }, { field: 'udp.SP', wanted: { kind: 'symbol' } },
      { field: 'ipv4.DA', wanted: { of: ['130.74.23.6'] } }, { field: 'udp.DP', wanted: { of: [1200] } }, { field: 'ipv4.TTL', wanted: { of: [64] } },
    ],
    payload: [{ bytes: [1, null, 0xc9], at: 0 }, { kind: 'symbol', at: 4, bytes: 12 }, { bytes: [...Buffer.from('hi')], at: 'anywhere' }, { kind: 'length', range: { least: 20 } }],
  })
  t.match(expect[1], { about: 'tcp from 10.0.0.0/8 to :80', message: '217', within: 1_500_000_000n, count: { least: 2, most: Infinity } })
  t.same(expect[1].fields.slice(2).map(({ wanted }) => wanted), [
    { kind: 'value', of: [2, 18] }, { kind: 'value', of: ['02:00:00:00:00:0a'] }, { kind: 'value', of: ['130.74.23.6'] },
  ])
  t.match(never, [{ about: 'icmp at wan', at: '101', fields: [{ wanted: { kind: 'symbol', name: '$p' } }, { wanted: { of: [3, 11] } }] }])
})

t.test('what is wrong is told with its place', async t => {
  for (const [document, says] of BAD) {
    try {
      parseCheck(document, 'c.yaml')
      t.fail(`this was read: ${document}`)
    } catch (error) {
      t.match(error, { name: 'CheckFileError', message: says }, document)
    }
  }
})

t.test('what has many faults is told in few lines', async t => {
  for (const bad of [`a: ${'['.repeat(5000)}`, `a: &a [x]\nb: [${'*a, '.repeat(5000)}]`, Array.from({ length: 5000 }, (_, at) => `f${at}: 1`).join('\n')]) {
    try {
      parseCheck(bad, 'c.yaml')
      t.fail('this was read')
    } catch (error) {
      if (!(error instanceof Error)) throw error
      t.match(error, { name: 'CheckFileError', message: /^c\.yaml:\d+:\d+: (.*\n){20}and \d+ more$/ })
    }
  }
})

t.test('a check in a program has the same rules, and paths for places', async t => {
  t.equal(readCheck({ expect: [{ packet: 'udp', from: 'server:$p' }] }).expect[0].place, 'expect[0]')
  t.throws(() => readCheck({ expect: [{ packet: 'udp', from: '1.2.3.4:0' }, { packet: 'udp', count: 0 }] }, 'mine'), { message: /^mine: expect\[1\]\.count: 0 is not/ })
  t.throws(() => readCheck({ expect: [{ packet: 'udp', from: '1.2.3.4:0' }] }, 'mine'), { message: 'mine: expect[0].from: \'0\' is not a port (1 to 65535)' })
})

t.test('every field that is decoded has a name in checks, and a value of its kind', async t => {
  const [from, to] = [parseEndpoint('1.2.3.4:5'), parseEndpoint('6.7.8.9:10')]
  const inner = udpFrame(from, to, Buffer.from('x'))
  const frames = [inner, tcpFrame(from, to, 2), icmpFrame(parseIpv4('1.2.3.4'), to.address, { type: 8 }), icmpFrame(from.address, to.address, { type: 3 }, inner.subarray(14))]
  for (const { protocol, fields } of frames.flatMap(frame => decode(frame).layers)) {
    for (const { name, value } of fields) {
      const is = CHECK_FIELDS.get(`${protocol}.${name}`)?.is
      t.equal(typeof value, is?.kind === 'number' || is?.kind === 'flags' ? 'number' : 'string', `${protocol}.${name}`)
    }
  }
})

t.test('docs/checks.md has the fields that there are, and its example is one', async t => {
  const document = readFileSync(root('docs/checks.md'), 'utf8')
  t.equal(document, writeDocument(document), 'npm run schema writes its tables anew')
  t.equal(document.match(/^\| `/gm)?.length, 7 + 11 + 5 + 5 + new Set([...CHECK_FIELDS.values()].map(each => each.field)).size)
  const [, example] = /```yaml\n([^]*?)```/.exec(document) ?? []
  t.equal(parseCheck(example).expect.length, 2)
})

t.test('the JSON Schema says the same as the reader', async t => {
  const shipped = JSON.parse(readFileSync(root('captures/check/check.schema.json'), 'utf8')) as Record<string, unknown>
  t.strictSame(shipped, JSON.parse(JSON.stringify(toJsonSchema(CHECK_SHAPE))), 'npm run schema writes it anew')
  const accepts = new Ajv().compile(shipped)
  t.ok(accepts(parse(GOOD)), JSON.stringify(accepts.errors))
  for (const [document, , schema] of BAD) {
    let value: unknown
    try {
      value = parse(document)
    } catch {
      continue // no YAML: an editor says so before any schema does
    }
    t.equal(accepts(value), schema === 'taken', document)
  }
})
