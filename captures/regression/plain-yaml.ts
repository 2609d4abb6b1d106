// Reads YAML as goldens are written in it: block mappings and lists, each value or flow collection on one line, text plain where
// nobody could take it for anything else and otherwise in double quotes. It takes 10 ms for a golden of 40 KB, where the YAML library
// takes 300 ms in a process that has just begun, a fifth of a whole run of Fig. 2. Whatever is not plain beyond doubt, mistakes
// among it, is left to the library: what is read here means the same there.

/** Text as it stands, in which there is nothing that YAML has a meaning for, unless it is one of the next: `104a-lan`, `01c9..`. */
const WORDS = /^[\p{L}\p{N}→←•(][\p{L}\p{N} →←•()/._-]*$/u
const CONSTANT = /^(null|true|false)$/i, NUMERIC = /^(\d+(\.\d*)?(e-?\d+)?|0[xo].*)$/i
/** Of the numbers, these are read here. */
const NUMBER = /^(0|[1-9]\d{0,14})$/
/** Double-quoted text, which means the same in YAML where it is JSON; single-quoted text with no quote in it. */
const QUOTED = /"(?:[^"\\]|\\.)*"|'[^']*'(?!')/y
/** Where a plain value within a flow collection ends. */
const PLAIN = /[^,:{}[\]"'#]+/y
const LINE = /^( *)(- )?(.*)$/
/** Nothing, a comment, or a list within a list. */
const NO_VALUE = /^$|^#|^-( |$)/
/** In a block: a key, and what stands behind it on the line. */
const ENTRY = /^("(?:[^"\\]|\\.)*"|[^"':{}[\],#]+):(?: (.+))?$/
/** Deeper goldens do not come, and what is made to overflow the stack is the library's. */
const DEPTH = 16

class NotPlain extends Error {}

interface Line { readonly indent: number, readonly text: string }

/** @returns a mapping; undefined where the text is not plain, whatever else it may be */
export function readPlainYaml(text: string): Record<string, unknown> | undefined {
  try {
    return new Blocks(text).document()
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
}

/** The lines, taken one after another. */
class Blocks {
  readonly #lines: Line[] = []
  #at = 0

  constructor(text: string) {
    for (const line of text.split('\n')) if (line !== '' && !line.startsWith('#')) this.#lines.push(...linesOf(line))
  }

  document(): Record<string, unknown> {
    const fields = this.#mapping(0, DEPTH)
    if (this.#at === 0 || this.#at < this.#lines.length) throw new NotPlain()
    return fields
  }

  /** A mapping or a list whose lines are indented by `indent`. */
  #block(indent: number, depth: number): unknown {
    if (depth === 0 || this.#lines.at(this.#at)?.indent !== indent) throw new NotPlain()
    return this.#lines[this.#at].text === '-' ? this.#list(indent, depth) : this.#mapping(indent, depth)
  }

  #list(indent: number, depth: number): unknown[] {
    const list: unknown[] = []
    while (this.#is(indent, true)) {
      this.#at++
      const { indent: inner, text } = this.#lines[this.#at]
      if (ENTRY.test(text)) list.push(this.#mapping(inner, depth - 1))
      else list.push(this.#value(text))
    }
    return list
  }

  #mapping(indent: number, depth: number): Record<string, unknown> {
    const fields: Record<string, unknown> = {}
    while (this.#is(indent, false)) {
      const entry = ENTRY.exec(this.#lines[this.#at].text)
      if (entry === null) throw new NotPlain()
      const key = keyOf(entry[1], fields), rest = entry.at(2)
      if (rest === undefined) {
        this.#at++
        const inner = this.#lines.at(this.#at)?.indent ?? 0
        if (inner <= indent) throw new NotPlain() // null, or a list that is no deeper than its key
        fields[key] = this.#block(inner, depth - 1)
      } else {
        fields[key] = this.#value(rest)
      }
    }
    return fields
  }

  #value(text: string): unknown {
    this.#at++
    return new FlowText(text).whole()
  }

  #is(indent: number, isItem: boolean): boolean {
    const line = this.#lines.at(this.#at)
    return line?.indent === indent && (line.text === '-') === isItem
  }
}

/** An item of a list is a line of its own here, with what stands behind its dash on the next. */
function linesOf(line: string): Line[] {
  const parts = LINE.exec(line)
  if (parts === null || NO_VALUE.test(parts[3])) throw new NotPlain()
  const indent = parts[1].length, text = parts[3], isItem = parts.at(2) !== undefined
  return isItem ? [{ indent, text: '-' }, { indent: indent + 2, text }] : [{ indent, text }]
}

/** The value of one line. */
class FlowText {
  #at = 0

  constructor(private readonly text: string) {}

  whole(): unknown {
    const value = this.#value(DEPTH)
    if (this.#at < this.text.length) throw new NotPlain()
    return value
  }

  #value(depth: number): unknown {
    if (depth === 0) throw new NotPlain()
    switch (this.text[this.#at]) {
      case '{': return this.#mapping(depth)
      case '[': return this.#list(depth)
      default: return this.#scalar()
    }
  }

  #mapping(depth: number): Record<string, unknown> {
    const fields: Record<string, unknown> = {}
    this.#items('{', '}', () => {
      const key = keyOf(this.#token(), fields)
      this.#expect(': ')
      fields[key] = this.#value(depth - 1)
    })
    return fields
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = []
    this.#items('[', ']', () => { list.push(this.#value(depth - 1)) })
    return list
  }

  /** `{ a, b }`, or `{}`. */
  #items(open: string, close: string, each: () => void): void {
    this.#expect(open)
    if (this.#skip(close)) return
    this.#expect(' ')
    do each()
    while (this.#skip(', '))
    this.#skip(' ')
    this.#expect(close)
  }

  #scalar(): unknown {
    const token = this.#token()
    return NUMBER.test(token) ? Number(token) : textOf(token)
  }

  /** Quoted with its quotes, or plain without the space behind it. */
  #token(): string {
    const pattern = /["']/.test(this.text[this.#at]) ? QUOTED : PLAIN
    pattern.lastIndex = this.#at
    const token = pattern.exec(this.text)?.[0].trimEnd()
    if (token === undefined) throw new NotPlain()
    this.#at += token.length
    return token
  }

  #skip(what: string): boolean {
    const isThere = this.text.startsWith(what, this.#at)
    if (isThere) this.#at += what.length
    return isThere
  }

  #expect(what: string): void {
    if (!this.#skip(what)) throw new NotPlain()
  }
}

/** A key that is a number is text in JavaScript; one that comes twice is a mistake, for the library to name. */
function keyOf(token: string, present: object): string {
  const key = NUMBER.test(token) ? token : textOf(token)
  if (key === '__proto__' || Object.hasOwn(present, key)) throw new NotPlain()
  return key
}

function textOf(token: string): string {
  if (token.startsWith('"')) return fromJson(token)
  if (token.startsWith('\'')) return token.slice(1, -1)
  if (!WORDS.test(token) || CONSTANT.test(token) || NUMERIC.test(token) || token.endsWith(' ')) throw new NotPlain()
  return token
}

function fromJson(token: string): string {
  try {
    return JSON.parse(token) as string
  } catch {
    throw new NotPlain()
  }
}
