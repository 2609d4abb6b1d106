// The options of a filter, in the manner of conntrack's, for the commands that look at flows.
import type { Argv } from 'yargs'
import { FILTER_FIELDS, parseFlowFilter, type FlowFilterText } from '../napt/control/flow-filter.js'

type FilterField = typeof FILTER_FIELDS[number]

const DESCRIPTIONS: Readonly<Record<FilterField, string>> = {
  protocol: 'tcp, udp, icmp, or another protocol by its number',
  lan: 'ADDRESS[:PORT] of the host on the LAN',
  wan: '[ADDRESS:]PORT on the WAN',
  remote: 'ADDRESS[:PORT] of the other end',
  kind: 'dynamic, static or one-to-one',
  state: 'opening, established, closing, closed or reset; open: of a protocol that knows no connections',
}

export type FilterArguments = Readonly<Partial<Record<FilterField, string | undefined>>>

export function filterOptions<T>(yargs: Argv<T>, fields: readonly FilterField[] = FILTER_FIELDS): Argv<T & FilterArguments> {
  for (const field of fields) yargs.option(field, { type: 'string', requiresArg: true, describe: `Only ${DESCRIPTIONS[field]}`, group: 'Filter:' })
  return yargs as Argv<T & FilterArguments>
}

/** What was given of a filter, or undefined without one. @throws ConfigError naming the option */
export function filterOf(args: FilterArguments): FlowFilterText | undefined {
  const given = Object.fromEntries(FILTER_FIELDS.flatMap(field => args[field] === undefined ? [] : [[field, args[field]]]))
  if (Object.keys(given).length === 0) return undefined
  parseFlowFilter(given, '--')
  return given
}
