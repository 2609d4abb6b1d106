// Golden files: text that can be reviewed, a packet or message a line, in a folder with the capture that it was made from
// (`captures/golden/fig2/golden.yaml`, `capture.pcapng`).
//
// A password is stored as a mask and its length, in the fields and in the bytes, and never as a hash: a hash of something so
// short can be guessed back. So a golden notices a password of another length, not another password; that one is right is
// checked by the run itself (S207).
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { GoldenError, type Golden } from './golden.js'
import { orderOf, type Entry, type Flow, type Value } from '../canonical/entries.js'
import { readPlainYaml } from './plain-yaml.js'
import { readSmallFile } from '../files/small-file.js'
import { GOLDENS } from '../goldens.js'
import { loadYaml } from '../yaml.js'

export const GOLDEN_FILE = 'golden.yaml'

/** Of a golden with the entries of its flows, and of a large one with their digests. */
const FORMAT = 1, DIGEST_FORMAT = 2

/** Bytes of a golden's file: many times one of 20,000 entries, or of as many flows as are told apart. */
const LARGEST = 64 << 20

const EXPLANATION = ` What the packets of this run must be. Recorded by naptlab from the captures of a good run.
 One flow of an interface after another; → is the way of its first packet. A header field that is not named is 0.
 { any: 1 } differs from run to run; it must be the same wherever it stands. .. is a byte of such a value or of a password.`

const DIGEST_EXPLANATION = ` What the packets of this run must be. Recorded by naptlab from the capture beside it, which is too long to be read as text.
 One flow of an interface after another, with the count and the hash of its packets and messages; naptlab golden check looks
 into the capture for those that differ. { any: 1 } differs from run to run; it must be the same wherever it stands.`

/** The folder of a named golden, with its capture. */
export const goldenFolder = (name: string): string => `${GOLDENS}${name}/`

/** The capture that a named golden was made from, with its keys. */
export const goldenCapture = (name: string): string => `${goldenFolder(name)}capture.pcapng`

/** A path (it has a slash, or ends with .yaml) or the name of one of the project's goldens. */
export const goldenPath = (nameOrFile: string): string =>
  nameOrFile.includes('/') || nameOrFile.endsWith('.yaml') ? nameOrFile : `${goldenFolder(nameOrFile)}${GOLDEN_FILE}`

/** Writes a golden whole or not at all; makes its folder. */
export function writeGolden(golden: Golden, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.part`, formatGolden(golden))
  renameSync(`${path}.part`, path)
}

/**
 * Reads a golden; null when there is none at `path`, which is a result of its own.
 * @throws GoldenError when the file is not a golden; the message says where
 */
export function readGolden(path: string): Golden | null {
  let text: string
  try {
    text = readSmallFile(path, LARGEST).toString('utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new GoldenError(`${path}: the golden cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
  return parseGolden(text, path)
}

const ONE_LINE: ReadonlySet<unknown> = new Set(['flow', 'ports', 'periodic', 'bothWays'])

export function formatGolden({ name, ports, periodic, bothWays, interfaces, digests }: Golden): string {
  const { Document, isScalar, visit } = loadYaml()
  const document = new Document({
    golden: name, format: digests === true ? DIGEST_FORMAT : FORMAT, ports, periodic, bothWays,
    interfaces: Object.fromEntries([...interfaces].map(([each, flows]) => [each, flows.map(flowToYaml)])),
  })
  document.commentBefore = digests === true ? DIGEST_EXPLANATION : EXPLANATION
  visit(document, {
    Pair: (_, pair) => { // a flow's ends, and an entry, on one line each
      if (isScalar(pair.key) && ONE_LINE.has(pair.key.value) && pair.value !== null && typeof pair.value === 'object') Object.assign(pair.value, { flow: true })
    },
    Map: (_, map) => { if (map.has('way') || map.has('blake2b')) map.flow = true },
  })
  return document.toString({ lineWidth: 0 })
}

function flowToYaml({ entries, protocol, SA, SP, DA, DP, digest }: Flow): object {
  if (digest !== undefined) return { flow: { protocol, SA, SP, DA, DP }, ...digest }
  return {
    flow: { protocol, SA, SP, DA, DP },
    entries: entries.map(({ way, packet, header, payload, bytes }) => ({
      way, packet, ...(isEmpty(header) ? {} : { header }), ...(isEmpty(payload) ? {} : { payload }), ...(bytes === '' ? {} : { bytes }),
    })),
  }
}

const isEmpty = (record: object): boolean => Object.keys(record).length === 0

/** @throws GoldenError with the place of what is wrong */
export function parseGolden(text: string, file = 'golden'): Golden {
  return new Shape(file, readPlainYaml(text) ?? readYaml(text, file)).golden()
}

function readYaml(text: string, file: string): unknown {
  const { isMap, LineCounter, parseDocument, visit } = loadYaml()
  const lines = new LineCounter(), document = parseDocument(text, { lineCounter: lines })
  const [error] = document.errors
  if (document.errors.length > 0) throw new GoldenError(`${file}: this is not YAML: ${error.message.split('\n')[0]}`)
  // No golden has any, and they can make a small file as large as memory.
  visit(document, { Alias: (_, { range }) => { throw new GoldenError(`${file}:${lines.linePos(range?.[0] ?? 0).line}: a golden has no aliases. Record the golden again, or mend the file.`) } })
  if (!isMap(document.contents)) throw new GoldenError(`${file}: this is not a golden (it has no fields)`)
  return document.toJS()
}

/** A value of the file with its path, taken apart with a check at each step. */
class Shape {
  readonly #path: string
  readonly #value: unknown

  constructor(path: string, value: unknown) {
    this.#path = path
    this.#value = value
  }

  golden(): Golden {
    const format = this.#field('format').#value
    if (format !== FORMAT && format !== DIGEST_FORMAT) throw new GoldenError(`${this.#path}: the golden's format is ${String(format)}, this program reads ${FORMAT} and ${DIGEST_FORMAT}. Record it again.`)
    const digests = format === DIGEST_FORMAT
    this.#hasOnly(['golden', 'format', 'ports', 'periodic', 'bothWays', 'interfaces'])
    const bothWays = this.#field('bothWays').#list().map(each => each.#number())
    return {
      name: this.#field('golden').#string(),
      bothWays,
      ports: this.#field('ports').#list().map(each => each.#number()),
      periodic: this.#field('periodic').#list().map(each => each.#string()),
      interfaces: new Map(this.#field('interfaces').#fields().map(([name, flows]) => [name, flows.#list().map(flow => flow.#flow(bothWays, digests))])),
      ...(digests ? { digests } : {}),
    }
  }

  #flow(bothWays: readonly number[], hasDigest: boolean): Flow {
    this.#hasOnly(hasDigest ? ['flow', 'packets', 'blake2b'] : ['flow', 'entries'])
    const ends = this.#field('flow')
    ends.#hasOnly(['protocol', 'SA', 'SP', 'DA', 'DP'])
    const SP = ends.#field('SP').#scalarOrAny(), DP = ends.#field('DP').#scalarOrAny()
    return {
      protocol: ends.#field('protocol').#string(), SA: ends.#field('SA').#string(), SP, DA: ends.#field('DA').#string(), DP,
      order: orderOf([SP, DP], bothWays),
      ...(hasDigest ? { entries: [], digest: { packets: this.#field('packets').#number(), blake2b: this.#field('blake2b').#string() } }
        : { entries: this.#field('entries').#list().map(entry => entry.#entry()) }),
    }
  }

  #entry(): Entry {
    this.#hasOnly(['way', 'packet', 'header', 'payload', 'bytes'])
    const way = this.#field('way').#string()
    if (way !== '→' && way !== '←') throw this.#fail('a way of → or ←')
    const record = (name: string): Record<string, Value> =>
      this.#has(name) ? Object.fromEntries(this.#field(name).#fields().map(([each, value]) => [each, value.#scalarOrAny()])) : {}
    return {
      way, packet: this.#field('packet').#string(), header: record('header'), payload: record('payload'),
      bytes: this.#has('bytes') ? this.#field('bytes').#string() : '', frame: 0,
    }
  }

  /** What nobody compares must not look as if it were compared. */
  #hasOnly(names: readonly string[]): void {
    const stray = this.#fields().find(([name]) => !names.includes(name))
    if (stray !== undefined) throw new GoldenError(`${stray[1].#path}: there is no such field here (known: ${names.join(', ')}). Record the golden again, or mend the file.`)
  }

  #has(name: string): boolean { return this.#fields().some(([each]) => each === name) }

  #field(name: string): Shape {
    const found = this.#fields().find(([each]) => each === name)
    if (found === undefined) throw this.#fail(`a field '${name}'`)
    return found[1]
  }

  #fields(): [string, Shape][] {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value)) throw this.#fail('fields')
    return Object.entries(this.#value).map(([name, value]) => [name, new Shape(`${this.#path}: ${name}`, value)])
  }

  #list(): Shape[] {
    if (!Array.isArray(this.#value)) throw this.#fail('a list')
    return this.#value.map((value: unknown, at) => new Shape(`${this.#path} ${at + 1}`, value))
  }

  #string(): string {
    if (typeof this.#value !== 'string') throw this.#fail('text')
    return this.#value
  }

  #number(): number {
    if (typeof this.#value !== 'number') throw this.#fail('a number')
    return this.#value
  }

  #scalarOrAny(): Value {
    if (typeof this.#value === 'string' || typeof this.#value === 'number') return this.#value
    return { any: this.#field('any').#number() }
  }

  #fail(wanted: string): GoldenError { return new GoldenError(`${this.#path}: ${wanted} should stand here. Record the golden again, or mend the file.`) }
}
