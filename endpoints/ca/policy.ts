// Whom the CA certifies: names that it was told, each for whoever asks from the name's own address, or from the address that was
// given with it; or, where there is an enrolment secret, for whoever proves that.
import { isIPv4 } from 'node:net'
import { EncodeError } from '../message/index.js'
import { nameFlaw } from './names.js'
import { checkSecret, isProof, requestProof } from './proof.js'
import { Objection } from './request.js'
import type { CertificateRequest } from './request.js'

export interface Allowance {
  readonly name: string
  /** The only address that may ask for it; null where the secret alone counts. */
  readonly from: string | null
}

/** @param text NAME or NAME=ADDRESS. @throws EncodeError */
export function parseAllowance(text: string): Allowance {
  const at = text.indexOf('='), name = (at < 0 ? text : text.slice(0, at)).toLowerCase(), from = at < 0 ? null : text.slice(at + 1)
  const flaw = nameFlaw(name)
  if (flaw !== null) throw new EncodeError(flaw)
  if (from !== null && !isIPv4(from)) throw new EncodeError(`'${text}' is not NAME or NAME=ADDRESS, such as server.example=130.74.23.6`)
  return { name, from: from ?? (isIPv4(name) ? name : null) }
}

export class Policy {
  readonly #allowed: ReadonlyMap<string, string | null>

  /** @throws EncodeError when the secret is too short, or a name could be had by nobody or anybody */
  constructor(allow: readonly Allowance[], readonly secret: string | null) {
    if (secret !== null) checkSecret(secret)
    const open = secret === null ? allow.find(({ from }) => from === null) : undefined
    if (open !== undefined) throw new EncodeError(`${open.name} needs the address that may ask for it (${open.name}=ADDRESS), or an enrolment secret`)
    this.#allowed = new Map(allow.map(({ name, from }) => [name, from]))
  }

  /** `der` is the request as it came, `from` the address that it came from. */
  objection({ names }: CertificateRequest, der: Uint8Array, proof: string | undefined, from: string): Objection | null {
    if (this.secret !== null && !isProof(proof, requestProof(this.secret, der))) return new Objection('wrong-proof', '')
    const denied = names.find(name => !this.#allows(name, from))
    return denied === undefined ? null : new Objection('name-not-allowed', `${denied}, from ${from}`)
  }

  #allows(name: string, from: string): boolean {
    const allowed = this.#allowed.get(name)
    return allowed !== undefined && (this.secret !== null || allowed === from)
  }
}
