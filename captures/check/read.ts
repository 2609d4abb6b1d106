// Reads a check: a YAML file or a value of the same shape. Every problem is found in one go, with its line and column.
import { Document, isNode, LineCounter, parseDocument, visit, type Node } from 'yaml'
import { AddressError, formatIpv4, parseIpv4, parsePort, parsePrefix } from '../../napt/wire/address.js'
import { CHECK_SHAPE, TIME, type AmountDescription, type CheckDescription, type ExpectedPacket, type FieldDescription, type PacketDescription, type PacketKind, type PayloadDescription, type TranslatedPacket } from './format.js'
import { CHECK_FIELDS, parseFlags, type FieldKind } from './fields.js'
import type { Check, Expectation, FieldPattern, Pattern, PayloadPart, Range, Wanted } from './pattern.js'
import { problemsOf, type Path, type Problem } from './shape.js'

/** A check that cannot be read, or that asks for what this capture cannot show. The message says where. */
export class CheckFileError extends Error { override readonly name = 'CheckFileError' }

/** @throws CheckFileError that names each problem by file, line and column */
export function parseCheck(text: string, file = 'check'): Check {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number, what: string): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}: ${what}`
  }
  const problems = document.errors.map(({ pos, message }) => at(pos[0], `this is not YAML: ${message}`))
  // Nobody needs them here, and they can make a small file as large as memory.
  visit(document, { Alias: (_, { range }) => void problems.push(at(range?.[0] ?? 0, 'aliases are not read here; what begins with * stands in quotes, as in \'*:5000\'')) })
  if (problems.length > 0) throw new CheckFileError(shortened(problems))
  return new Reader(document, file, lines).check()
}

/** @throws CheckFileError that names each problem by the path of its field */
export const readCheck = (description: CheckDescription, name = 'check'): Check => new Reader(new Document(description), name, null).check()

class Reader {
  readonly #document: Document
  readonly #file: string
  readonly #lines: LineCounter | null
  readonly #problems: Problem[] = []
  readonly #symbols = new Map<string, { readonly kind: string, readonly path: Path }>()
  #interfaces: Readonly<Record<string, string | number>> = {}
  #names: Readonly<Record<string, string>> = {}

  constructor(document: Document, file: string, lines: LineCounter | null) {
    this.#document = document
    this.#file = file
    this.#lines = lines
  }

  check(): Check {
    const { contents } = this.#document
    this.#problems.push(...problemsOf(CHECK_SHAPE, isNode(contents) ? contents : null))
    this.#stopAtProblems()
    const { interfaces = {}, names = {}, checksums = 'verified', ordered = false, expect = [], never = [] } = this.#document.toJS() as CheckDescription // the shape was checked
    this.#interfaces = interfaces
    this.#names = names
    for (const [name, address] of Object.entries(names)) this.#parsed(address, ['names', name], parseIpv4)
    const check: Check = {
      name: this.#file, ordered, verifiesChecksums: checksums === 'verified',
      expect: expect.map((each, at) => this.#expectation(each, ['expect', at], at === 0)),
      never: never.map((each, at) => this.#pattern(each, ['never', at])),
    }
    if (check.expect.length + check.never.length === 0) this.#problem([], 'nothing is expected: put packets under expect or never')
    this.#stopAtProblems()
    return check
  }

  #expectation(each: ExpectedPacket, path: Path, isFirst: boolean): Expectation {
    const { count, within, translated } = each
    if (translated !== undefined && each.at === undefined) this.#problem(path, 'at is missing: on which side of the router the packet is before it is translated')
    if (within !== undefined && isFirst) this.#problem([...path, 'within'], 'there is no entry before the first')
    return {
      ...this.#pattern(each, path),
      count: count === undefined ? { least: 1, most: Infinity } : this.#range(count, [...path, 'count'], 1),
      within: within === undefined ? null : nanoseconds(within),
      translated: translated === undefined ? null : this.#translated(translated, each, [...path, 'translated']),
    }
  }

  #translated(each: TranslatedPacket, { packet }: PacketDescription, path: Path): Pattern & { within: bigint | null } {
    if (packet === 'arp') this.#problem(path, 'a router does not translate arp')
    return { ...this.#pattern({ ...each, packet }, path), within: each.within === undefined ? null : nanoseconds(each.within) }
  }

  #pattern(each: PacketDescription, path: Path): Pattern {
    const { about, packet, at, from, to, message, payload = [], fields = {} } = each
    const hasPorts = packet === 'udp' || packet === 'tcp'
    if (message !== undefined && !hasPorts) this.#problem([...path, 'message'], `${packet} carries no message: messages are in udp and tcp`)
    const parts: readonly PayloadDescription[] = Array.isArray(payload) ? payload as readonly PayloadDescription[] : [payload as PayloadDescription]
    return {
      label: pathText(path), place: this.#where(path),
      about: about ?? [packet, ...(at === undefined ? [] : [`at ${at}`]), ...(from === undefined ? [] : [`from ${from}`]), ...(to === undefined ? [] : [`to ${to}`])].join(' '),
      packet,
      at: at === undefined ? null : this.#interface(String(at)),
      message: message === undefined ? null : String(message),
      payload: parts.flatMap((part, index) => this.#part(part, Array.isArray(payload) ? [...path, 'payload', index] : [...path, 'payload'])),
      fields: [
        ...this.#end(from, packet, ['SA', 'SP'], [...path, 'from']), ...this.#end(to, packet, ['DA', 'DP'], [...path, 'to']),
        ...Object.entries(fields).flatMap(([name, value]) => this.#field(name, value, packet, [...path, 'fields', name])),
      ],
    }
  }

  #interface(name: string): string { return Object.hasOwn(this.#interfaces, name) ? String(this.#interfaces[name]) : name }

  /** `ADDRESS:PORT` is another word for two fields. */
  #end(end: string | number | undefined, packet: PacketKind, names: readonly [string, string], path: Path): FieldPattern[] {
    if (end === undefined) return []
    const text = String(end), colon = text.indexOf(':')
    const address = colon < 0 ? text : text.slice(0, colon), port = colon < 0 ? '*' : text.slice(colon + 1)
    if (packet === 'arp') this.#problem(path, 'arp has no ends: name its fields, such as arp.sender IP')
    if (port !== '*' && packet !== 'udp' && packet !== 'tcp') this.#problem(path, `${packet} has no ports`)
    return [
      ...(address === '' || address === '*' ? [] : [{ field: `ipv4.${names[0]}`, wanted: this.#address(address, path) }]),
      ...(port === '*' ? [] : [{ field: `${packet}.${names[1]}`, wanted: port.startsWith('$') ? this.#symbol(port, 'a number', path) : this.#single(port, path, parsePort) }]),
    ]
  }

  #address(text: string, path: Path): Wanted {
    if (text.startsWith('$')) return this.#symbol(text, 'an address', path)
    if (Object.hasOwn(this.#names, text)) return { kind: 'value', of: [this.#names[text]] }
    if (text.includes('/')) {
      const prefix = this.#parsed(text, path, parsePrefix)
      return prefix === null ? { kind: 'value', of: [] } : { kind: 'prefix', prefix }
    }
    return /^\d+(\.\d+){3}$/.test(text) ? this.#single(text, path, address => formatIpv4(parseIpv4(address))) : { kind: 'name', name: text }
  }

  #single(text: string, path: Path, parse: (text: string) => string | number): Wanted {
    const value = this.#parsed(text, path, parse)
    return { kind: 'value', of: value === null ? [] : [value] }
  }

  #field(name: string, value: FieldDescription, packet: PacketKind, path: Path): FieldPattern[] {
    const known = CHECK_FIELDS.get(name)
    if (known === undefined) return [] // the shape was checked
    const [layer] = known.field.split('.')
    if (!LAYERS[packet].includes(layer)) this.#problem(path, `a packet of ${packet} has no such field`)
    return [{ field: known.field, wanted: this.#wanted(value, known.is, path) }]
  }

  #wanted(value: FieldDescription, is: FieldKind, path: Path): Wanted {
    if (typeof value !== 'object') return this.#value(value, is, path)
    if (!('any of' in value)) return { kind: 'range', ...this.#range(value, path, 0) }
    const values = value['any of'].map((each, at) => this.#value(each, is, [...path, 'any of', at]))
    const of = values.flatMap(each => each.kind === 'value' ? each.of : [])
    if (values.some(each => each.kind !== 'value')) this.#problem(path, 'any of takes values, no symbols, names or prefixes')
    if (values.length === 0) this.#problem(path, 'any of nothing: there is no value in the list')
    return { kind: 'value', of }
  }

  #value(value: string | number, is: FieldKind, path: Path): Wanted {
    if (typeof value === 'string' && value.startsWith('$')) return this.#symbol(value, is.kind === 'number' ? 'a number' : is.kind === 'address' ? 'an address' : is.kind === 'mac' ? 'a MAC address' : 'bytes', path)
    switch (is.kind) {
      case 'number': return { kind: 'value', of: [value] }
      case 'address':
        if (String(value).includes(':')) this.#problem(path, 'this field is an address without a port')
        return this.#address(String(value).replace(/:.*/, ''), path)
      case 'flags': return { kind: 'value', of: [parseFlags(String(value)) ?? 0] } // the shape was checked
      case 'mac': return { kind: 'value', of: [String(value).toLowerCase()] }
      case 'hex': return { kind: 'value', of: [String(value).replaceAll(' ', '').toLowerCase()] }
    }
  }

  #part({ hex, text, at, bytes, length }: PayloadDescription, path: Path): PayloadPart[] {
    const parts: PayloadPart[] = length === undefined ? [] : [{ kind: 'length', range: this.#range(length, [...path, 'length'], 0) }]
    const isSymbol = hex?.startsWith('$') === true
    if (hex !== undefined && text !== undefined) this.#problem(path, 'give hex or text; for both a list of two')
    if (hex === undefined && text === undefined && (at !== undefined || length === undefined)) this.#problem(path, 'hex, text or length is missing')
    if (isSymbol !== (bytes !== undefined)) this.#problem(path, isSymbol ? `bytes is missing: how many ${hex} stands for` : 'bytes goes with a symbol in hex')
    if (isSymbol && at === 'anywhere') this.#problem([...path, 'at'], 'a symbol has one place')
    if (hex !== undefined && isSymbol) {
      this.#symbol(hex, 'bytes', path)
      return [...parts, { kind: 'symbol', name: hex, at: typeof at === 'number' ? at : 0, bytes: bytes ?? 0 }]
    }
    const wanted = hex === undefined ? (text === undefined ? null : [...Buffer.from(text)]) : fromHex(hex)
    return wanted === null ? parts : [...parts, { kind: 'bytes', bytes: wanted, at: at ?? 0, text: text === undefined ? hexText(wanted) : JSON.stringify(text) }]
  }

  #range(amount: number | AmountDescription, path: Path, lowest: number): Range {
    if (typeof amount === 'number') return { least: amount, most: amount }
    const least = amount['at least'] ?? lowest, most = amount['at most'] ?? Infinity
    if (amount['at least'] === undefined && amount['at most'] === undefined) this.#problem(path, 'at least or at most is missing')
    if (least > most) this.#problem(path, `at least ${least} and at most ${most} cannot both hold`)
    if (most < lowest) this.#problem(path, 'at most 0 is none: put the packet under never')
    return { least: Math.max(least, lowest), most }
  }

  #symbol(name: string, kind: string, path: Path): Wanted {
    const known = this.#symbols.get(name)
    if (known === undefined) this.#symbols.set(name, { kind, path })
    else if (known.kind !== kind) this.#problem(path, `${name} stands for ${kind} here, and for ${known.kind} at ${this.#where(known.path)}`)
    return { kind: 'symbol', name }
  }

  #parsed<T>(text: string, path: Path, parse: (text: string) => T): T | null {
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof AddressError)) throw error
      this.#problem(path, error.message)
      return null
    }
  }

  #problem(path: Path, what: string): void { this.#problems.push({ path, node: this.#node(path), what }) }

  #node(path: Path): Node | null {
    const found = this.#document.getIn(path, true)
    return isNode(found) ? found : null
  }

  #placeOf(node: Node | null): { line: number, col: number } | null { return node?.range && this.#lines !== null ? this.#lines.linePos(node.range[0]) : null }

  /** As in `nat.yaml:14`; the path alone where there is no file. */
  #where(path: Path): string {
    const place = this.#placeOf(this.#node(path))
    return place === null ? pathText(path) : `${this.#file}:${place.line}`
  }

  #stopAtProblems(): void {
    if (this.#problems.length === 0) return
    throw new CheckFileError(shortened(this.#problems.map(({ path, node, what }) => {
      const place = this.#placeOf(node)
      return [`${this.#file}${place === null ? '' : `:${place.line}:${place.col}`}`, ...(path.length === 0 ? [] : [pathText(path)]), what].join(': ')
    })))
  }
}

/** One fault may make many problems of what follows. */
const MOST_PROBLEMS = 20

const shortened = (problems: readonly string[]): string =>
  [...problems.slice(0, MOST_PROBLEMS), ...problems.length > MOST_PROBLEMS ? [`and ${problems.length - MOST_PROBLEMS} more`] : []].join('\n')

/** As in `expect[1].payload.hex`. */
const pathText = (path: Path): string => path.map((step, at) => typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`).join('')

/** The layers whose fields a packet of the kind has. */
const LAYERS: Readonly<Record<PacketKind, readonly string[]>> = {
  udp: ['ethernet', 'vlan', 'ipv4', 'udp'], tcp: ['ethernet', 'vlan', 'ipv4', 'tcp'], icmp: ['ethernet', 'vlan', 'ipv4', 'icmp', 'quoted'],
  arp: ['ethernet', 'vlan', 'arp'], ipv4: ['ethernet', 'vlan', 'ipv4', 'udp', 'tcp', 'icmp', 'quoted'],
}

const fromHex = (hex: string): (number | null)[] => (hex.replaceAll(' ', '').match(/../g) ?? []).map(byte => byte === '..' ? null : parseInt(byte, 16))

const hexText = (bytes: readonly (number | null)[]): string => bytes.map(byte => byte === null ? '..' : byte.toString(16).padStart(2, '0')).join(' ')

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 }

function nanoseconds(text: string): bigint {
  const [, amount, unit] = TIME.exec(text) ?? []
  return BigInt(Math.round(Number(amount) * UNITS[unit]))
}
