// The WAN address of 104b changes during the run, as PPP or DHCP may have it: what 101 has in its list leads nowhere, so a request
// made now fails, until the next 201 brings the list up to date (S202A).
import { wallTime } from '../../napt/clock.js'
import type { Apparatus } from '../programs/apparatus.js'
import type { Stage } from './scenario.js'

export const RENUMBERED = '104b'
export const NEW_ADDRESS = '202.204.16.99'
/** Milliseconds for 103 to answer 205, so that the request in the gap does not take long to fail. */
export const NOTIFY_LIMIT = 1500
/** Milliseconds; 103 registers when it is told, and not of itself while the request in the gap is under way. */
export const LONG_INTERVAL = 40_000

/**
 * Gives 104b its new address, lets `issuer` (which `begin` starts) make its request in the gap, and then 103 register.
 * @returns what 102 said of the request that failed; null, and a failure of the run, when it did not fail as it should
 */
export async function requestInTheGap(stage: Stage, server: Apparatus, acceptor: Apparatus, issuer: Apparatus, begin: (issuer: Apparatus) => void): Promise<string | null> {
  const tell = (lane: string, name: string, note: string): void => stage.step({ kind: 'step', time: wallTime(), lane, name, note })
  await stage.router(RENUMBERED).request({ op: 'renumber', address: NEW_ADDRESS })
  tell(RENUMBERED, 'renumbered', `its WAN address is ${NEW_ADDRESS} now`)
  begin(issuer)
  const answer = await issuer.event('answered')
  await issuer.exited
  if (answer.outcome !== 'gone-silent') {
    stage.fail(`102: the request made before the next 201 did not end as it should, but so: ${answer.message}`)
    return null
  }
  tell('102', 'refused', answer.message)
  acceptor.proceed()
  await server.event('registered', event => event.address === NEW_ADDRESS)
  return issuer.lastWords
}
