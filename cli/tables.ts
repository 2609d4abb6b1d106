// NAPT tables, equipment lists and counters as text, with the columns of Figs. 6, 9 and 12.
import type { CountersJson, MappingJson } from '../napt/control/protocol.js'

/** Columns padded to their longest cell; numbers are not told from text. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), [])
  return rows.map(row => (indent + row.map((cell, i) => cell.padEnd(widths[i])).join('   ')).trimEnd())
}

const MAPPING_HEADINGS = ['LAN address', 'WAN address', 'LAN port', 'WAN port', 'protocol', 'kind', 'sessions'] as const

export function mappingLines(mappings: readonly MappingJson[]): string[] {
  if (mappings.length === 0) return ['  (no mapping)']
  return columns([MAPPING_HEADINGS, ...mappings.map(mapping => [
    mapping.lanAddress, mapping.wanAddress, String(mapping.lanPort), String(mapping.wanPort), mapping.protocol, mapping.kind, sessionsOf(mapping),
  ])])
}

const SHOWN_SESSIONS = 3

function sessionsOf({ sessions }: MappingJson): string {
  if (sessions.length === 0) return '—'
  const shown = sessions.slice(0, SHOWN_SESSIONS).map(({ remoteAddress, remotePort, secondsLeft, tcp }) =>
    `${remoteAddress}${remotePort === 0 ? '' : `:${remotePort}`} ${tcp === undefined ? '' : `${tcp}, `}${duration(secondsLeft)} left`)
  return shown.join('; ') + (sessions.length > SHOWN_SESSIONS ? `; and ${sessions.length - SHOWN_SESSIONS} more` : '')
}

/** As in `2 h 4 min`, `4 min 12 s`, `59 s`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60)
  if (hours > 0) return `${hours} h ${minutes % 60} min`
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`
}

export function counterLines({ forwarded, answered, held, dropped, devices, untraced, memory }: CountersJson): string[] {
  const drops = Object.entries(dropped).filter(([, count]) => count > 0).map(([reason, count]) => [`dropped: ${reason}`, String(count)])
  const losses = (['lan', 'wan'] as const).flatMap(side => [[`${side} device: missed`, String(devices[side].missed)], [`${side} device: not sent`, String(devices[side].unsent)]])
  return columns([
    ['forwarded from the LAN', String(forwarded.lan)], ['forwarded from the WAN', String(forwarded.wan)], ['answered by the router', String(answered)],
    ['waited for ARP', String(held)], ...drops, ...losses, ['not traced', String(untraced)], ['memory', `${(memory / 2 ** 20).toFixed(0)} MiB`],
  ])
}
