// What both ends do alike: the frame of a handshake, and its last part, from the pre-master secret to Finished.
import { timingSafeEqual } from 'node:crypto'
import { ByteStream, deadlineOf } from '../channel/byte-stream.js'
import type { ConnectedSocket } from '../channel/connected-socket.js'
import { EndpointError, messageOf, type FailureReason } from '../errors.js'
import { Ssl3Error, type AlertName } from './fault.js'
import { connectionKeys, masterSecret, type DirectionKeys, type Randoms } from './key-derivation.js'
import { Link } from './link.js'
import { Ssl3Stream } from './stream.js'
import type { Suite } from './suites.js'

/**
 * Runs a handshake over a connected socket.
 * @returns the plaintext, when the handshake is done
 * @throws Ssl3Error, EndpointError, when the other end has been told and the socket is destroyed
 */
export async function overSocket(socket: ConnectedSocket, within: number, handshake: (link: Link) => Promise<void>): Promise<Ssl3Stream> {
  const link = new Link(new ByteStream(socket), deadlineOf(within))
  try {
    await handshake(link)
    link.finish()
    return new Ssl3Stream(link)
  } catch (error) {
    const fault = faultOf(error)
    await link.abort(alertOf(fault))
    throw fault
  }
}

/** What node:crypto makes of numbers that no honest end sends ends this handshake, never more than that. */
function faultOf(error: unknown): Ssl3Error | EndpointError {
  if (error instanceof Ssl3Error || error instanceof EndpointError) return error
  return new Ssl3Error('handshakeFailure', `the SSL 3.0 handshake failed: ${messageOf(error)}`)
}

/** Objections to a certificate, as the server hears them. SSL 3.0 has no alert for an unknown CA. */
const ALERT_OF: Partial<Record<FailureReason, AlertName>> = {
  'certificate-untrusted': 'certificateUnknown', 'certificate-other-name': 'certificateUnknown', 'certificate-expired': 'certificateExpired',
  'certificate-not-yet-valid': 'badCertificate', 'certificate-unusable': 'unsupportedCertificate',
}

const alertOf = (fault: Ssl3Error | EndpointError): AlertName | null =>
  fault instanceof Ssl3Error ? fault.alert : ALERT_OF[fault.reason] ?? 'handshakeFailure'

/** 73 or 83, and the keys of records that follow from it. */
export interface CommonKey extends Record<'client' | 'server', DirectionKeys> { readonly master: Buffer }

/** Equation (1), and on to the keys. `onKeys` as of Ssl3Options. */
export function commonKey(suite: Suite, preMaster: Uint8Array, randoms: Randoms, onKeys?: (line: string) => void): CommonKey {
  const master = masterSecret(preMaster, randoms)
  onKeys?.(`CLIENT_RANDOM ${Buffer.from(randoms.client).toString('hex')} ${master.toString('hex')}\n`)
  return { master, ...connectionKeys(suite, master, randoms) }
}

/** Changes to the keys and vouches for all that both ends have said. */
export function writeFinished(link: Link, sender: 'client' | 'server', suite: Suite, keys: CommonKey): void {
  link.writeChange(suite, keys[sender])
  link.write('finished', link.transcript.finished(sender, keys.master))
}

/** Waits until the other end has done so. @throws Ssl3Error when it has seen another handshake than this end */
export async function readFinished(link: Link, sender: 'client' | 'server', suite: Suite, keys: CommonKey): Promise<void> {
  await link.readChange(suite, keys[sender])
  const expected = link.transcript.finished(sender, keys.master)
  const finished = await link.read('finished')
  if (finished.length !== expected.length || !timingSafeEqual(finished, expected)) {
    throw new Ssl3Error('handshakeFailure', `the ${sender} has not seen the handshake that this end has: somebody on the way has changed it`)
  }
}
