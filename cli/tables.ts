// NAPT tables, equipment lists and counters as text, with the columns of Figs. 6, 9 and 12.
import type { CountersJson, MappingJson, SessionJson } from '../napt/control/protocol.js'
import { duration } from '../napt/duration.js'

/** Columns padded to their longest cell; numbers are not told from text. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), [])
  return rows.map(row => (indent + row.map((cell, i) => cell.padEnd(widths[i])).join('   ')).trimEnd())
}

/** As in `1 mapping`, `2 mappings`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

const MAPPING_HEADINGS = ['LAN address', 'WAN address', 'LAN port', 'WAN port', 'protocol', 'kind', 'sessions'] as const

export function mappingLines(mappings: readonly MappingJson[]): string[] {
  if (mappings.length === 0) return ['  (no mapping)']
  return columns([MAPPING_HEADINGS, ...mappings.map(mapping => [
    mapping.lanAddress, mapping.wanAddress, String(mapping.lanPort), String(mapping.wanPort), mapping.protocol, mapping.kind, sessionsInShort(mapping),
  ])])
}

const SHOWN_SESSIONS = 3

function sessionsInShort({ sessions }: MappingJson): string {
  if (sessions.length === 0) return '—'
  const shown = sessions.slice(0, SHOWN_SESSIONS).map(({ remoteAddress, remotePort, secondsLeft, tcp }) =>
    `${remoteAddress}${remotePort === 0 ? '' : `:${remotePort}`} ${tcp === undefined ? '' : `${tcp}, `}${duration(secondsLeft)} left`)
  return shown.join('; ') + (sessions.length > SHOWN_SESSIONS ? `; and ${sessions.length - SHOWN_SESSIONS} more` : '')
}

/** A session and the mapping that it goes through, as one row. */
export interface SessionEntry extends SessionJson, Omit<MappingJson, 'sessions'> {}

export const sessionsOf = (mappings: readonly MappingJson[]): SessionEntry[] =>
  mappings.flatMap(({ sessions, ...mapping }) => sessions.map(session => ({ ...mapping, ...session })))

const SESSION_HEADINGS = ['protocol', 'state', 'time left', 'LAN', 'WAN', 'remote', 'kind'] as const

/** A line for each session, in conntrack's manner. */
export function sessionLines(mappings: readonly MappingJson[]): string[] {
  const sessions = sessionsOf(mappings)
  if (sessions.length === 0) return ['  (no session)']
  return columns([SESSION_HEADINGS, ...sessions.map(each => [
    each.protocol === 'ip' ? `ip ${each.lanPort}` : each.protocol, each.tcp ?? 'open', duration(each.secondsLeft),
    end(each.protocol, each.lanAddress, each.lanPort), end(each.protocol, each.wanAddress, each.wanPort), end(each.protocol, each.remoteAddress, each.remotePort), each.kind,
  ])])
}

/** ICMP has identifiers in place of ports, and the remote end has none; other protocols have nothing. */
const end = (protocol: MappingJson['protocol'], address: string, port: number): string =>
  protocol === 'tcp' || protocol === 'udp' ? `${address}:${port}` : protocol === 'ip' || port === 0 ? address : `${address} id ${port}`

export function counterLines({ forwarded, answered, held, dropped, devices, untraced, memory }: CountersJson): string[] {
  const drops = Object.entries(dropped).filter(([, count]) => count > 0).map(([reason, count]) => [`dropped: ${reason}`, String(count)])
  const losses = (['lan', 'wan'] as const).flatMap(side => [[`${side} device: missed`, String(devices[side].missed)], [`${side} device: not sent`, String(devices[side].unsent)]])
  return columns([
    ['forwarded from the LAN', String(forwarded.lan)], ['forwarded from the WAN', String(forwarded.wan)], ['answered by the router', String(answered)],
    ['waited for ARP', String(held)], ...drops, ...losses, ['not traced', String(untraced)], ['memory', `${(memory / 2 ** 20).toFixed(0)} MiB`],
  ])
}

/** What a router's devices lost, in words; null when nothing. `missed`: nobody took it in time; `not sent`: the way out refused it. */
export function lossText(devices: CountersJson['devices']): string | null {
  const losses = (['lan', 'wan'] as const).flatMap(side => {
    const { missed, unsent } = devices[side]
    return [...missed === 0 ? [] : [`${missed} missed on the ${side.toUpperCase()}`], ...unsent === 0 ? [] : [`${unsent} not sent on the ${side.toUpperCase()}`]]
  })
  return losses.length === 0 ? null : `frames lost at its devices: ${losses.join(', ')}`
}
