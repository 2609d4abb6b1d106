// The $names of a script: each is bound by the first line that it matches, and means the same from then on.
import { addressOf } from './names.js'

export class Variables {
  readonly #values = new Map<string, string>()

  /** The text with the values of its $names. */
  filledIn(text: string): string { return text.replace(/\$(\w+)/g, (name, key: string) => this.#values.get(key) ?? name) }

  /** Whether a line says the same as the wanted one; binds what is not bound yet. */
  match(wanted: string, line: string): boolean {
    const fresh: string[] = []
    const pattern = this.filledIn(wanted).split(/(\$\w+)/).map(part => {
      if (!part.startsWith('$')) return part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
      const key = part.slice(1), known = fresh.indexOf(key)
      if (known >= 0) return `\\${known + 1}`
      fresh.push(key)
      return '([\\w.]+)'
    }).join('')
    const found = new RegExp(`^${pattern}$`).exec(line)
    if (found === null) return false
    fresh.forEach((key, i) => this.#values.set(key, found[i + 1]))
    return true
  }

  /** Whether a relation holds: `$p ≠ 2000`, `$p = $q + 1`, `$p even`, `$p in 1024-65535`, `$p $q $r in no order`. */
  check(relation: string): boolean {
    const text = this.filledIn(relation)
    if (text.includes('$')) throw new Error(`'${relation}' is about a name that no line has bound`)
    const inNoOrder = /^(.+) in no order$/.exec(text)
    if (inNoOrder !== null) return isInNoOrder(inNoOrder[1].split(' ').map(Number))
    const [left, relationWord, ...rest] = text.split(' ')
    const right = rest.join(' ')
    switch (relationWord) {
      case 'even': return Number(left) % 2 === 0
      case 'odd': return Number(left) % 2 === 1
      case 'in': return isWithin(Number(left), right)
      case '=': return valueOf(left) === valueOf(right)
      case '≠': return valueOf(left) !== valueOf(right)
      default: throw new Error(`'${relation}' is no relation`)
    }
  }

  describe(relation: string): string { return `it is ${this.filledIn(relation)}` }
}

function isWithin(value: number, range: string): boolean {
  const [from, to] = range.split('-').map(Number)
  return value >= from && value <= to
}

/** A number, a sum such as `2000 + 1`, or an address by either of its names. */
function valueOf(text: string): string {
  const sum = /^(\d+) \+ (\d+)$/.exec(text)
  return sum === null ? addressOf(text) : String(Number(sum[1]) + Number(sum[2]))
}

/** No step between neighbours is like the step before it, and they are not all close together. */
const isInNoOrder = (values: readonly number[]): boolean => {
  const steps = values.slice(1).map((value, i) => value - values[i])
  return steps.every((step, i) => Math.abs(step) > 2 && step !== steps[i - 1])
}
