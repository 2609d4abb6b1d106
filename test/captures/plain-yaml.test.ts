// The reader of plain YAML: the project's goldens are plain, whatever it reads means the same to the YAML library, and it leaves
// everything else to that.
import t from 'tap'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseDocument } from 'yaml'
import { formatGolden, parseGolden } from '../../captures/index.js'
import { readPlainYaml } from '../../captures/regression/plain-yaml.js'
import { Random } from '../napt/random.js'

const folder = fileURLToPath(new URL('../../../captures/golden/', import.meta.url))
const texts = readdirSync(folder).map(name => readFileSync(`${folder}${name}/golden.yaml`, 'utf8'))

/** What the library makes of it; undefined where it finds a mistake. */
function byLibrary(text: string): unknown {
  const document = parseDocument(text)
  return document.errors.length > 0 ? undefined : document.toJS()
}

t.test('the goldens of the project', async t => {
  t.ok(texts.length > 10)
  for (const text of texts) {
    const plain = readPlainYaml(text)
    t.not(plain, undefined, text.split('\n')[4])
    t.strictSame(plain, byLibrary(text))
  }
})

t.test('a golden as it is written is plain', async t => {
  for (const text of texts.slice(0, 3)) t.strictSame(readPlainYaml(formatGolden(parseGolden(text))), byLibrary(text))
})

t.test('what is plain means the same to the library', async t => {
  const plain = [
    'a: 1', 'a: b c', 'a: 201 equipment registration', 'a: →', 'a: 192.168.1.11', 'a: "1"', 'a: "\\u00e4 \\" \\\\ \\n"', 'a: 0', '"a b": c', '5: x',
    'a: []', 'a: {}', 'a: [ 1, b, "c" ]', 'a: { b: { c: [ {}, [] ] } }', 'a:\n  b: 1\nc: 2', 'a:\n  - b\n  - 2\n  - { c: d }', 'a:\n  - b: 1\n    c:\n      - d\n  - e: f',
    '# c\n\na: 1\n# d\nb: 2\n', 'a: yes', 'a: x_y', 'a: (none)', 'a: 999999999999999', 'a: 1.2.3.4\n', 'a: 01c9', 'a: 01e2e3', 'a: 01..', 'a: \'"b"\'', 'a: [ \'\', \'#, : {\' ]', 'a: 2001-12-14', '104a-lan: 1', 'a: 1a', 'a: 1_000', 'a: •••• (16 bytes)',
  ]
  for (const text of plain) {
    const value = readPlainYaml(text)
    t.not(value, undefined, text)
    t.strictSame(value, byLibrary(text), text)
  }
})

t.test('what is not plain is the library\'s', async t => {
  const others = [
    '', '# only a comment\n', 'a', '- a', '[]', '{ a: 1 }', 'a: null', 'a: ~', 'a: True', 'a:', 'a:\nb: 1', 'a: 1.5', 'a: 01', 'a: -1', 'a: +1', 'a: 0x1f', 'a: 1e3', 'a: .inf', 'a: 1000000000000000',
    'a: \'b\'\'c\'', 'a: \'b', '\'a\': b', 'a: 1e-3', 'a: 0o7', 'a: 2.', 'a: "\\x41"', 'a: "b', 'a: "b" c', 'a: b: c', 'a: b # c', 'a: b#c', 'a: &x b', 'a: *x', 'a: !!str 1', 'a: |\n  b', 'a: >\n  b', 'a: b\n  c', 'a: [ b,\n  c ]', 'a: [ b, ]', 'a: [1]', 'a: 01e2', 'a: 01.', 'a: 0.1e2', 'a: [ b c', 'a: { b }', 'a: { b:c }',
    'a: { ? b : c }', 'a: { b: 1, b: 2 }', 'a: 1\na: 2', '5: a\n"5": b', '__proto__: 1', 'a: { __proto__: { b: 1 } }', '<<: { a: 1 }', '---\na: 1', 'a: 1\n...', '%YAML 1.2\n---\na: 1', 'a:\n- b', 'a:\n  - - b', 'a:\n  -\n    b', ' a: 1\nb: 2',
    'a: 1\r\n', 'a:\tb', 'a: b\t', 'a: b ', 'a : b', 'a: \u2028', '\ufeffa: 1', 'a: 10:30', 'a:\n  b: 1\n c: 2', 'a: 1\n  # b', `a: ${'['.repeat(5000)}`, `a: ${'[ '.repeat(20)}${' ]'.repeat(20)}`,
  ]
  for (const text of others) t.equal(readPlainYaml(text), undefined, text.slice(0, 40))
})

t.test('a golden that was changed: as the library has it, or the library\'s', async t => {
  const random = new Random(1)
  const pieces = ['"', '{', '}', '[', ']', ',', ':', ': ', '- ', '#', ' #', ' ', '  ', '\n', '\\', '\'', '&', '*', '!', '|', '>', '%', '@', '0', '1.5', 'true', 'null', '~', '\t', '\r', '?', '→', 'a', '-', '.', 'é', '---\n']
  let read = 0, left = 0
  for (let round = 0; round < 500; round++) {
    // A part of it, since the library takes its time: its head and some flows.
    const whole = random.pick(texts).split('\n'), from = random.below(Math.max(1, whole.length - 12))
    let text = [...whole.slice(0, 13), ...whole.slice(from).filter(line => line.startsWith('        - ')).slice(0, 4)].join('\n')
    for (let times = 1 + random.below(2); times > 0; times--) {
      const at = random.below(text.length), removed = random.below(3)
      text = text.slice(0, at) + (random.oneIn(4) ? '' : random.pick(pieces)) + text.slice(at + removed)
    }
    const plain = readPlainYaml(text)
    if (plain === undefined) left++
    else {
      read++
      if (!t.strictSame(plain, byLibrary(text), 'the same')) t.comment(text)
    }
  }
  t.ok(read > 40 && left > 40, `${read} read, ${left} left to the library`)
})
