// naptlab run relay-login.
import { RELAY_LOGIN_LANES, runRelayLogin } from '../../lab/systems/relay-login.js'
import { columns } from '../tables.js'
import { benchOf, hasOnly, titleOf, type System, type SystemOptions } from './system.js'

/** @throws UsageError, BenchError */
export function relayLogin(options: SystemOptions): System {
  hasOnly('relay-login', options, 'bench', 'nat')
  const bench = benchOf(options, 'relay-login')
  return {
    name: 'relay-login',
    title: titleOf(options, 'bench of JP 2002-217942', 'log-in relay, no encryption'),
    lanes: RELAY_LOGIN_LANES,
    run: async live => {
      const result = await runRelayLogin({ ...live, ...(bench === undefined ? {} : { bench }) })
      const { users, relayed } = result
      const list = columns([['user ID', 'connections'], ...users.map(({ userId, connections }) => [userId, String(connections)])])
      const counted = relayed === null ? [] : [[`through the server  ${relayed.from11} bytes from 11 to 21, ${relayed.from21} bytes from 21 to 11`]]
      return {
        result,
        summary: { tables: { 13: 'gateway of 11', 23: 'gateway of 21' }, before: [['Logged in at 4, with the spare connections', ...list]], after: counted },
      }
    },
  }
}
