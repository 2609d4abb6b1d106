// A packet filter cut into words and signs, each with its place in the text.
import { printable } from '../decode/text-width.js'

export interface Token {
  readonly kind: 'word' | 'sign' | 'end'
  readonly text: string
  /** Characters before it. */
  readonly at: number
}

/** A filter that is none: what stands where, and what could stand there. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
  /** Characters before what is wrong. */
  readonly at: number

  constructor(filter: string, at: number, what: string) {
    const shown = filter.replace(/[\p{Cc}\p{Cf}]/gu, '?') // one character each, so that the mark stands right
    super(`the filter, at character ${at + 1}: ${printable(what)}\n  ${shown}\n  ${' '.repeat(at)}^`)
    this.at = at
  }
}

/** Longer than anybody types; what nests that deep is cut off with it. */
const LONGEST = 4096
const TOKEN = /\s*(?:(&&|\|\||[<>=!]=|[()<>=!])|([^\s()<>=!&|]+))/y

/** @throws FilterError for a sign that the language does not have, and a text that is too long */
export function tokenize(filter: string): Token[] {
  if (filter.length > LONGEST) throw new FilterError(filter.slice(0, 60), 60, `it goes on for ${filter.length} characters; at most ${LONGEST} are read`)
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (let end = 0; ;) {
    const match = TOKEN.exec(filter)
    if (match === null) {
      const rest = filter.slice(end).search(/\S/)
      if (rest >= 0) throw new FilterError(filter, end + rest, `'${filter[end + rest]}' means nothing here; expected a word, a parenthesis, && or ||`)
      tokens.push({ kind: 'end', text: '', at: filter.length })
      return tokens
    }
    end = TOKEN.lastIndex
    const [, sign, word] = match as (string | undefined)[]
    const text = sign ?? word ?? ''
    tokens.push({ kind: sign === undefined ? 'word' : 'sign', text, at: end - text.length })
  }
}
