// The phases of a connection as a NAT sees them: segments in, phase out.
import t from 'tap'
import { nextState, phase } from '../../../napt/table/tcp-state.js'
import { FLAG } from '../../../napt/wire/tcp.js'

/** Segments as `> SYN` (from the LAN) and `< SYN ACK` (from the WAN); the phase after each. */
function phases(...segments: string[]): string[] {
  let state = 0
  return segments.map(segment => {
    const [direction, ...names] = segment.split(' ')
    const flags = names.reduce((sum, name) => sum | FLAG[name.toLowerCase() as keyof typeof FLAG], 0)
    state = nextState(state, flags, direction === '>')
    return phase(state)
  })
}

const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['opened from the LAN', ['> SYN', '< SYN ACK', '> ACK', '> PSH ACK'], ['opening', 'established', 'established', 'established']],
  ['opened from the WAN', ['< SYN', '> SYN ACK'], ['opening', 'established']],
  ['opened by both at once', ['> SYN', '< SYN', '> SYN ACK'], ['opening', 'established', 'established']],
  ['repeated SYN', ['> SYN', '> SYN', '< SYN ACK'], ['opening', 'opening', 'established']],
  ['refused', ['> SYN', '< RST ACK'], ['opening', 'reset']],
  ['closed by the LAN first', ['> SYN', '< SYN ACK', '> FIN ACK', '< ACK', '< FIN ACK', '> ACK'], ['opening', 'established', 'closing', 'closing', 'closed', 'closed']],
  ['closed by the WAN first', ['> SYN', '< SYN ACK', '< FIN ACK', '> FIN ACK'], ['opening', 'established', 'closing', 'closed']],
  ['a repeated FIN of one side closes nothing', ['> SYN', '< SYN ACK', '> FIN ACK', '> FIN ACK'], ['opening', 'established', 'closing', 'closing']],
  ['reset, and again', ['> SYN', '< SYN ACK', '> RST', '< RST ACK'], ['opening', 'established', 'reset', 'reset']],
  ['data after a reset: the connection lives (RFC 7857 §2.2)', ['> SYN', '< SYN ACK', '> RST', '< PSH ACK', '> RST'], ['opening', 'established', 'reset', 'established', 'reset']],
  ['data after a reset while closing', ['> SYN', '< SYN ACK', '> FIN ACK', '< RST', '> ACK'], ['opening', 'established', 'closing', 'reset', 'closing']],
  ['a SYN after the end begins anew', ['> SYN', '< SYN ACK', '> FIN ACK', '< FIN ACK', '> SYN', '< SYN ACK'], ['opening', 'established', 'closing', 'closed', 'opening', 'established']],
  ['a SYN after a reset begins anew', ['> SYN', '< SYN ACK', '< RST', '> SYN'], ['opening', 'established', 'reset', 'opening']],
  ['a SYN in an established connection changes nothing', ['> SYN', '< SYN ACK', '> SYN'], ['opening', 'established', 'established']],
  ['a SYN while one side has closed opens nothing', ['> SYN', '< SYN ACK', '> FIN ACK', '> SYN'], ['opening', 'established', 'closing', 'closing']],
  ['SYN and RST together are a reset', ['> SYN', '< SYN RST'], ['opening', 'reset']],
]

t.test('phases', async t => {
  for (const [name, segments, expected] of CASES) t.same(phases(...segments), expected, name)
})
