// A check file: which packets a capture must hold, and which of their fields matter. The types are those of a check written in a
// program; the shape beside them is what the reader goes by, and the JSON Schema and the table in docs/checks.md are made of it.
import { CHECK_FIELDS, type FieldKind } from './fields.js'
import type { Field, Shape } from './shape.js'

export interface CheckDescription {
  /** Names for interfaces of the capture, as in `{ lan: '104a-lan' }`. */
  readonly interfaces?: Readonly<Record<string, string | number>>
  /** Names for addresses; those that the capture itself holds are known too. */
  readonly names?: Readonly<Record<string, string>>
  /** `ignored`: packets are compared even where a checksum is wrong or the capture kept only their beginning. */
  readonly checksums?: 'verified' | 'ignored'
  /** True: the packets come in the order of the list. */
  readonly ordered?: boolean
  readonly expect?: readonly ExpectedPacket[]
  readonly never?: readonly PacketDescription[]
}

export type PacketKind = 'udp' | 'tcp' | 'icmp' | 'arp' | 'ipv4'

export interface PacketDescription {
  /** What it is to people; for the report. */
  readonly about?: string
  readonly packet: PacketKind
  /** The interface; every one unless given. */
  readonly at?: string | number
  /** `ADDRESS:PORT`, each an address, a prefix, a name, a port, a `$symbol`, or `*` for any. */
  readonly from?: string | number
  readonly to?: string | number
  /** A message of the endpoints' protocol, by its number or name. */
  readonly message?: string | number
  readonly payload?: PayloadDescription | readonly PayloadDescription[]
  readonly fields?: Readonly<Record<string, FieldDescription>>
}

export interface ExpectedPacket extends PacketDescription {
  /** How often; at least once unless given. */
  readonly count?: number | AmountDescription
  /** The longest time after the packet of the entry before, as in `500 ms`. */
  readonly within?: string
  /** The same packet on the other side of a router. */
  readonly translated?: TranslatedPacket
}

export interface TranslatedPacket {
  readonly at: string | number
  readonly from?: string | number
  readonly to?: string | number
  readonly fields?: Readonly<Record<string, FieldDescription>>
  readonly within?: string
}

export interface PayloadDescription {
  /** Bytes in hexadecimal, `..` for a byte that does not matter; or a `$symbol` for `bytes` of them. */
  readonly hex?: string
  readonly text?: string
  /** Where it stands, bytes from the beginning (0 unless given), or `anywhere`. */
  readonly at?: number | 'anywhere'
  readonly bytes?: number
  /** Of the whole payload, bytes. */
  readonly length?: number | AmountDescription
}

export interface AmountDescription { readonly 'at least'?: number, readonly 'at most'?: number }
export type FieldDescription = string | number | AmountDescription | { readonly 'any of': readonly (string | number)[] }

const text = (pattern: RegExp, wanted: string): Shape => ({ kind: 'text', pattern, wanted })
const either = (...of: Shape[]): Shape => ({ kind: 'either', of })
const whole = (most: number, least = 0): Shape => ({ kind: 'whole', least, most })
const field = (shape: Shape, about: string, example?: unknown): Field => ({ shape, about, ...(example === undefined ? {} : { example }) })
const shared = (name: string, shape: Shape): Shape => ({ kind: 'shared', name, shape })
const needed = (...of: Parameters<typeof field>): Field => ({ ...field(...of), isNeeded: true })

const MOST = Number.MAX_SAFE_INTEGER
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/
const SYMBOL = /^\$[A-Za-z][A-Za-z0-9_]*$/
const END = /^(\*|\$[A-Za-z][A-Za-z0-9_]*|[A-Za-z0-9][A-Za-z0-9_.-]*(\/[0-9]{1,2})?)?(:(\*|\$[A-Za-z][A-Za-z0-9_]*|[0-9]{1,5}))?$/
export const TIME = /^([0-9]+(?:\.[0-9]+)?) ?(ns|us|µs|ms|s)$/

/** Any text that is not empty. */
const SOME = /[\s\S]/

const symbol = text(SYMBOL, 'a symbol (such as $port)')
const amount = (most: number): Shape => ({ kind: 'fields', fields: { 'at least': field(whole(most), 'The least.'), 'at most': field(whole(most), 'The most.') } })
// YAML reads a name such as 101 as a number.
const name = shared('name', either(text(NAME, 'a name (such as lan or 104a-lan)'), whole(MOST)))
const end = shared('end', either(text(END, 'ADDRESS:PORT (such as 192.168.1.11:1500, server:1200, 192.168.1.11:$port or \'*:5000\')'), whole(MOST)))
const time = shared('time', text(TIME, 'a time (such as 500 ms or 2 s)'))

function valuesOf(is: FieldKind): Shape {
  const one = is.kind === 'number' ? [whole(is.most), symbol]
    : is.kind === 'address' ? [end]
    : [is.kind === 'flags' ? text(/^(none|(SYN|FIN|RST|PSH|ACK|URG)( (SYN|FIN|RST|PSH|ACK|URG))*)$/, 'TCP flags (such as SYN ACK)')
      : is.kind === 'mac' ? text(/^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|\$[A-Za-z][A-Za-z0-9_]*)$/, 'a MAC address (such as 02:00:00:00:00:01)')
      : text(/^(([0-9A-Fa-f]{2} ?)+|\$[A-Za-z][A-Za-z0-9_]*)$/, 'bytes in hexadecimal (such as 0101080a)')]
  const anyOf: Shape = { kind: 'fields', fields: { 'any of': { ...needed({ kind: 'list', item: either(...one) }, 'One of these.') } } }
  const most = is.kind === 'number' ? [amount(is.most)] : []
  return shared(is.kind === 'number' ? `number-to-${is.most}` : is.kind, either(...one, ...most, anyOf))
}

const fields = shared('fields', {
  kind: 'fields',
  fields: Object.fromEntries([...CHECK_FIELDS].map(([known, { field: same, is }]) =>
    [known, field(valuesOf(is), known === same ? `The field ${known}.` : `The same as ${same}.`)])),
})

const part = shared('payload', {
  kind: 'fields',
  fields: {
    hex: field(text(/^((([0-9A-Fa-f]{2}|\.\.) ?)+|\$[A-Za-z][A-Za-z0-9_]*)$/, 'bytes in hexadecimal (such as 01 c9 .. 3c), or a symbol'), 'These bytes, `..` for one that does not matter; or a `$symbol`, which stands for `bytes` of them.', '01 c9 .. 3c'),
    text: field(text(SOME, 'text'), 'These bytes, as UTF-8.', 'hello'),
    at: field(either(whole(65535), { kind: 'choice', of: ['anywhere'] }), 'Where `hex` or `text` stands: bytes from the beginning of the payload (0 unless given), or `anywhere`.', 4),
    bytes: field(whole(65535, 1), 'How many bytes a symbol in `hex` stands for.', 12),
    length: field(either(whole(65535), amount(65535)), 'The length of the whole payload, bytes.', { 'at least': 1 }),
  },
})

const packet: Readonly<Record<string, Field>> = {
  about: field(text(SOME, 'text'), 'What it is to people; the report says it.', 'the answer to the first question'),
  packet: needed({ kind: 'choice', of: ['udp', 'tcp', 'icmp', 'arp', 'ipv4'] }, 'The kind of packet.', 'udp'),
  at: field(name, 'The interface that it is seen on: a name of the capture or of `interfaces`. On any unless given.', 'lan'),
  from: field(end, 'Where it is from: `ADDRESS:PORT`. Address: an address, a prefix, a name, a `$symbol` or `*`; port: a number, a `$symbol` or `*`.', '192.168.1.11:$port'),
  to: field(end, 'Where it goes, in the same words.', 'server:1200'),
  message: field(either(text(SOME, 'text'), whole(MOST)), 'The message of the endpoints\' protocol in it, by its number or name.', 201),
  payload: field(either(part, { kind: 'list', item: part }), 'What its payload holds: one condition, or a list of them.', { hex: '01 c9' }),
  fields: field(fields, 'Header fields that matter, by name: a value, a `$symbol`, `{ at least, at most }` or `{ any of: [ … ] }`.', { 'ipv4.TTL': 64 }),
}

const translated: Shape = {
  kind: 'fields',
  fields: {
    at: needed(name, 'The interface on the other side.', 'wan'),
    from: field(end, 'Where it is from there.', 'nat:$outside'), to: field(end, 'Where it goes there.', 'server:1200'),
    fields: field(fields, 'Header fields that matter there.', { 'ipv4.TTL': 63 }),
    within: field(time, 'The longest that the router may take.', '5 ms'),
  },
}

/** The whole file. */
export const CHECK_SHAPE: Shape & { readonly kind: 'fields' } = {
  kind: 'fields',
  about: 'Which packets a capture must hold, and which of their fields matter. A field that is not named is not compared.',
  fields: {
    $schema: field(text(SOME, 'text'), 'The schema, for editors.'),
    interfaces: field({ kind: 'named', name: NAME, value: name }, 'Names for interfaces of the capture.', { lan: '104a-lan', wan: '104a-wan' }),
    names: field({ kind: 'named', name: NAME, value: text(/^[0-9]+(\.[0-9]+){3}$/, 'an IPv4 address (such as 130.74.23.6)') }, 'Names for addresses. Those that a pcapng file holds are known without.', { server: '130.74.23.6' }),
    checksums: field({ kind: 'choice', of: ['verified', 'ignored'] }, 'Whether the checksums of every packet that is compared must be right, and the packet be there to its end. `verified` unless given.', 'ignored'),
    ordered: field({ kind: 'choice', of: [true, false] }, 'True: each entry\'s first packet comes after that of the entry before.', true),
    expect: field({ kind: 'list', item: {
      kind: 'fields',
      fields: {
        ...packet,
        count: field(either(whole(1_000_000, 1), amount(1_000_000)), 'How many such packets there are; at least one unless given.', { 'at least': 1 }),
        within: field(time, 'The longest time after the first packet of the entry before.', '500 ms'),
        translated: field(translated, 'The same packet on the other side of a router.', { at: 'wan', from: 'nat:$outside' }),
      },
    } }, 'Packets that must be there.'),
    never: field({ kind: 'list', item: { kind: 'fields', fields: packet } }, 'Packets that must not be there.'),
  },
}
