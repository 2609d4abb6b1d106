// The enrolment secret: what CA and server know beforehand, if they do. It never travels. The request carries a keyed hash of
// itself, so a request that somebody has changed on the way proves nothing; the answer carries one of certificate and CA
// certificate, which then need no trust on first use.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { EncodeError } from '../message/index.js'

/** Bytes. Whoever has heard a proof can try secrets without asking, so a secret is drawn, not thought up. */
export const MIN_SECRET = 16

/** @throws EncodeError when the secret is too short to withstand being guessed */
export function checkSecret(secret: string): void {
  if (Buffer.byteLength(secret) < MIN_SECRET) throw new EncodeError(`the enrolment secret is shorter than ${MIN_SECRET} bytes; make one with: openssl rand -hex 16`)
}

/** Of 63. */
export const requestProof = (secret: string, request: Uint8Array): string => keyedHash(secret, 'naptlab 63', request)

/** Of 54. */
export const issuanceProof = (secret: string, certificate: Uint8Array, authority: Uint8Array): string => keyedHash(secret, 'naptlab 54', certificate, authority)

/** Compares in a time that does not depend on where two proofs differ. Both are hexadecimal, as the message has them. */
export const isProof = (given: string | undefined, wanted: string): boolean =>
  given?.length === wanted.length && timingSafeEqual(Buffer.from(given), Buffer.from(wanted))

/** Each part is a DER sequence and so tells its own length; a label keeps one kind of proof from passing for the other. */
function keyedHash(secret: string, label: string, ...parts: readonly Uint8Array[]): string {
  const hash = createHmac('sha256', secret).update(`${label}\n`)
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
