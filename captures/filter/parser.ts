// The language of packet filters: the words of pcap-filter(7) that people know, and those of this project (docs/show.md has all).
// As there, `not` binds first, and `and` and `or` bind alike, from left to right; a value alone takes the words before the last
// value: `dst port 1200 or 1201`.
import { AddressError, parseIpv4, parsePrefix, type Ipv4Address } from '../../napt/wire/address.js'
import {
  any, both, COMPARISONS, FLAG_BITS, not, ofDirection, ofFlags, ofHost, ofInterface, ofLength, ofName, ofNet, ofNumber, ofOutcome, ofPorts, ofProtocol, ofRouter,
  OUTCOMES, PROTOCOLS, type EndWord, type Predicate, type ProtocolWord,
} from './predicates.js'
import { FilterError, tokenize, type Token } from './tokens.js'

export interface FilterOptions {
  /** What addresses are called, as a file has it, growing as it is read; for `host 103`. */
  readonly names?: ReadonlyMap<Ipv4Address, string>
  /** The reasons for which packets are dropped, where they are known: another one is an error. */
  readonly reasons?: readonly string[]
}

export interface PacketFilter {
  readonly matches: Predicate
  /** The names in it that addresses may have. */
  readonly hosts: readonly string[]
}

const PRIMITIVES = 'host, net, port, portrange, src, dst, ip, tcp, udp, icmp, arp, interface, router, packet, flags, length, less, greater, inbound, outbound, dropped, forwarded, answered, held'
const AND = ['and', '&&'], OR = ['or', '||'], NOT = ['not', '!']
/** Words that never are a value. */
const RESERVED = new Set([...PRIMITIVES.split(', '), ...AND, ...OR, ...NOT])

/** @throws FilterError with the place of what is wrong, and what was expected there */
export function parseFilter(filter: string, options: FilterOptions = {}): PacketFilter {
  return new Parser(filter, options).whole()
}

class Parser {
  readonly #text: string
  readonly #tokens: readonly Token[]
  readonly #names: ReadonlyMap<Ipv4Address, string>
  readonly #reasons: readonly string[] | null
  readonly #hosts: string[] = []
  #at = 0
  /** Reads a value as the last one was read. */
  #again: (() => Predicate) | null = null

  constructor(text: string, { names = new Map<Ipv4Address, string>(), reasons }: FilterOptions) {
    this.#text = text
    this.#tokens = tokenize(text)
    this.#names = names
    this.#reasons = reasons ?? null
  }

  whole(): PacketFilter {
    const matches = this.#expression()
    if (this.#next.kind !== 'end') throw this.#wrong(this.#next, 'and, or, or the end')
    return { matches, hosts: this.#hosts }
  }

  #expression(): Predicate {
    let result = this.#term()
    for (;;) {
      if (this.#takes(AND)) result = both(result, this.#term())
      else if (this.#takes(OR)) result = any(result, this.#term())
      else return result
    }
  }

  #term(): Predicate {
    if (this.#takes(NOT)) return not(this.#term())
    const token = this.#next
    if (this.#takes(['('])) {
      const inside = this.#expression()
      if (!this.#takes([')'])) throw this.#wrong(this.#next, `and, or, or the ) of the parenthesis at character ${token.at + 1}`)
      return inside
    }
    if (token.kind === 'word' && !RESERVED.has(token.text) && this.#again !== null) return this.#again()
    this.#again = null
    return this.#primitive(token)
  }

  #primitive(token: Token): Predicate {
    const word = token.kind === 'word' ? token.text : ''
    if (isProtocol(word)) {
      this.#at++
      const protocol = ofProtocol(word)
      // `udp port 53`, `tcp src port 80`, `arp host …`: a protocol and what follows are one.
      return ['src', 'dst', 'host', 'net', 'port', 'portrange'].includes(this.#next.text) ? this.#repeated(inner => both(protocol, inner)) : protocol
    }
    if (['src', 'dst', 'host', 'net', 'port', 'portrange'].includes(word)) return this.#repeated(inner => inner)
    if (Object.hasOwn(OUTCOMES, word)) return this.#outcome(word)
    this.#at++
    switch (word) {
      case 'inbound':
      case 'outbound': return ofDirection(word)
      case 'interface': return this.#value(() => ofInterface(this.#word('the name of an interface, such as 104a-lan')))
      case 'router': return this.#value(() => ofRouter(this.#word('the name of a router, such as 104b')))
      case 'packet': return this.#value(() => ofNumber(this.#packetNumber()))
      case 'flags': return this.#value(() => ofFlags(this.#flags()))
      case 'less': return ofLength(COMPARISONS['<='], this.#number('a length in bytes'))
      case 'greater': return ofLength(COMPARISONS['>='], this.#number('a length in bytes'))
      case 'length': return this.#length()
    }
    throw this.#wrong(token, `${PRIMITIVES}, not, or a parenthesis`)
  }

  /** A question about ends, which values behind it may repeat. */
  #repeated(wrap: (inner: Predicate) => Predicate): Predicate {
    const end = this.#takes(['src']) ? 'src' : this.#takes(['dst']) ? 'dst' : 'either'
    const kind = ['host', 'net', 'port', 'portrange'].find(each => this.#takes([each])) ?? 'host'
    return this.#value(() => wrap(this.#ofEnds(end, kind)))
  }

  #value(read: () => Predicate): Predicate {
    this.#again = read
    return read()
  }

  #ofEnds(end: EndWord, kind: string): Predicate {
    switch (kind) {
      case 'port': {
        const port = this.#port(this.#take())
        return ofPorts(end, port, port)
      }
      case 'portrange': {
        const token = this.#take(), [first = '', last = '', ...more] = token.text.split('-')
        if (more.length > 0 || last === '') throw this.#wrong(token, 'two ports, such as 3400-3499')
        return ofPorts(end, this.#port({ ...token, text: first }), this.#port({ ...token, text: last, at: token.at + first.length + 1 }))
      }
      case 'net': {
        const token = this.#take()
        return ofNet(end, this.#address(token, 'a network, such as 10.0.0.0/8', () => parsePrefix(token.text)))
      }
      default: return this.#host(end)
    }
  }

  #host(end: EndWord): Predicate {
    const token = this.#take(), expected = 'an address, such as 192.168.1.3, or a name that the file has for one, such as 103'
    if (token.kind !== 'word' || RESERVED.has(token.text)) throw this.#wrong(token, expected)
    if (/^[\d.]*\.[\d.]*$/.test(token.text)) return ofHost(end, this.#address(token, expected, () => parseIpv4(token.text)))
    this.#hosts.push(token.text)
    return ofName(end, token.text, this.#names)
  }

  #outcome(word: string): Predicate {
    this.#at++
    const token = this.#next
    if (word !== 'dropped' || token.kind !== 'word' || RESERVED.has(token.text)) return ofOutcome(OUTCOMES[word], null)
    if (this.#reasons?.includes(token.text) === false) throw this.#wrong(token, `and, or, the end, or a reason: ${this.#reasons.join(', ')}`)
    return this.#value(() => ofOutcome(OUTCOMES[word], this.#word('a reason, such as filtered')))
  }

  #length(): Predicate {
    const sign = this.#take()
    if (sign.kind !== 'sign' || !Object.hasOwn(COMPARISONS, sign.text)) throw this.#wrong(sign, `one of ${Object.keys(COMPARISONS).join(' ')}`)
    return ofLength(COMPARISONS[sign.text], this.#number('a length in bytes'))
  }

  #flags(): number {
    const token = this.#take(), names = token.text.toLowerCase().split(',')
    const known = [...FLAG_BITS.keys()].join(', ')
    return names.reduce((bits, name) => {
      const bit = FLAG_BITS.get(name)
      if (bit === undefined) throw this.#wrong(token, `flags of TCP, with commas between them: ${known}`)
      return bits | bit
    }, 0)
  }

  #packetNumber(): string {
    const token = this.#take()
    if (!/^\d{1,3}$/.test(token.text)) throw this.#wrong(token, 'a number of the documents, such as 201 or 217')
    return token.text
  }

  #port(token: Token): number {
    const port = /^\d{1,5}$/.test(token.text) ? Number(token.text) : NaN
    if (!(port <= 65535)) throw this.#wrong(token, 'a port (0 to 65535)')
    return port
  }

  #number(expected: string): number {
    const token = this.#take()
    if (!/^\d{1,9}$/.test(token.text)) throw this.#wrong(token, expected)
    return Number(token.text)
  }

  #word(expected: string): string {
    const token = this.#take()
    if (token.kind !== 'word') throw this.#wrong(token, expected)
    return token.text
  }

  #address<T>(token: Token, expected: string, read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw error instanceof AddressError ? this.#wrong(token, expected) : error
    }
  }

  get #next(): Token { return this.#tokens[this.#at] }

  /** The next token, which may be the end; that one is never passed. */
  #take(): Token {
    const token = this.#next
    if (token.kind !== 'end') this.#at++
    return token
  }

  #takes(texts: readonly string[]): boolean {
    if (!texts.includes(this.#next.text)) return false
    this.#at++
    return true
  }

  #wrong({ kind, text, at }: Token, expected: string): FilterError {
    return new FilterError(this.#text, at, `${kind === 'end' ? 'it ends here' : `'${text}' cannot stand here`}; expected ${expected}`)
  }
}

const isProtocol = (word: string): word is ProtocolWord => (PROTOCOLS as readonly string[]).includes(word)
