// Values that differ from run to run, by number of first appearance: a port that a kernel chose, a token that a program drew.
// Two captures agree when the same number stands in the same places. Numbers count apart for each owner (a port's address, a
// field's name), so that one value more somewhere does not shift all others.
import { PROTOCOL } from '../../napt/wire/ipv4.js'
import type { Entry, Flow, Value } from './entries.js'

export class Numbers {
  readonly #known = new Map<string, Map<string, number>>()

  /** `any` values of `owner` as 1, 2, 3 … in the order in which they are asked for; others stay. */
  of(owner: string, value: Value): Value {
    if (typeof value !== 'object') return value
    const numbers = this.#known.get(owner) ?? new Map<string, number>()
    this.#known.set(owner, numbers)
    const found = numbers.get(String(value.any)) ?? numbers.size + 1
    numbers.set(String(value.any), found)
    return { any: found }
  }

  /** The same for each value of a header or a message. */
  fields(values: Entry['header']): Record<string, Value> {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.of(ownerOf(name, values), value)]))
  }
}

/** The flows with every `any` as 1, 2, 3 … in the order in which it first appears. Interfaces are read in the map's order. */
export function renumber(interfaces: ReadonlyMap<string, readonly Flow[]>): Map<string, Flow[]> {
  const numbers = new Numbers()
  const flow = (each: Flow): Flow => ({
    ...each,
    SP: numbers.of(`${each.protocol} ${each.SA}`, each.SP),
    DP: numbers.of(`${each.protocol} ${each.DA}`, each.DP),
    entries: each.entries.map(entry => ({ ...entry, header: numbers.fields(entry.header), payload: numbers.fields(entry.payload) })),
  })
  return new Map([...interfaces].map(([name, flows]) => [name, flows.map(flow)]))
}

/** A quoted port belongs to its address, as a flow's own; anything else to the field of its name. */
function ownerOf(name: string, values: Entry['header']): string {
  const address = name === 'quoted SP' ? values['quoted SA'] : name === 'quoted DP' ? values['quoted DA'] : undefined
  return typeof address === 'string' ? `${values['quoted protocol'] === PROTOCOL.tcp ? 'tcp' : 'udp'} ${address}` : name
}
