// Password hashes: scrypt (RFC 7914) with a salt and parameters of its own for each, so that the cost can be raised later
// without a change to hashes that are there.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** Memory is 128 × cost × block bytes, time grows with cost × block × parallel. */
export interface HashParameters { readonly cost: number, readonly block: number, readonly parallel: number }

export interface PasswordHash extends HashParameters {
  /** Base64. */
  readonly salt: string
  readonly hash: string
}

/** About 50 ms and 16 MiB: what a log-in costs an honest terminal once, and a guesser every time. */
export const HASH_PARAMETERS: HashParameters = { cost: 2 ** 14, block: 8, parallel: 1 }
export const SALT_LENGTH = 16
export const HASH_LENGTH = 32
/** Bytes that one hash may take; a file that asks for more is refused before it takes the machine's memory. */
const MAX_MEMORY = 256 * 2 ** 20

/** What is wrong with these parameters, or null. */
export function parameterFlaw({ cost, block, parallel }: HashParameters): string | null {
  if (!Number.isInteger(cost) || cost < 2 ** 10 || !Number.isInteger(Math.log2(cost))) return `cost is ${cost}, not a power of two of at least ${2 ** 10}`
  if (!Number.isInteger(block) || block < 1) return `block is ${block}, not a whole number of at least 1`
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > 16) return `parallel is ${parallel}, not a whole number from 1 to 16`
  return 128 * cost * block > MAX_MEMORY ? `cost ${cost} with block ${block} takes more than ${MAX_MEMORY / 2 ** 20} MiB` : null
}

export async function hashPassword(password: string, parameters = HASH_PARAMETERS, random: (count: number) => Uint8Array = randomBytes): Promise<PasswordHash> {
  const salt = Buffer.from(random(SALT_LENGTH))
  const hash = await derive(password, salt, parameters)
  return { ...parameters, salt: salt.toString('base64'), hash: hash.toString('base64') }
}

/** Compares in a time that does not depend on where two hashes differ. */
export async function isPassword(password: string, known: PasswordHash): Promise<boolean> {
  const wanted = Buffer.from(known.hash, 'base64')
  const found = await derive(password, Buffer.from(known.salt, 'base64'), known)
  return timingSafeEqual(found, wanted)
}

function derive(password: string, salt: Uint8Array, { cost: N, block: r, parallel: p }: HashParameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_LENGTH, { N, r, p, maxmem: MAX_MEMORY * 2 }, (error, hash) => {
      if (error) reject(error)
      else resolve(hash)
    })
  })
}
