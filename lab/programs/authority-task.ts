// The CA (51) of Fig. 5 on a bench (endpoint-process.ts).
import { createAuthority } from '../../endpoints/ca/authority.js'
import { parseAllowance } from '../../endpoints/ca/policy.js'
import { startAuthorityServer } from '../../endpoints/ca/server.js'
import { ownKeys } from './own-keys.js'
import type { TaskContext } from './task-context.js'

/** Makes its certificate, and its key pair where it is given none, and serves until it is stopped. */
export interface AuthorityTask {
  readonly role: 'authority'
  /** 53, PEM, where it was made beforehand. */
  readonly key?: string
  /** Addresses that are certified for whoever asks from them. */
  readonly allow: readonly string[]
}

export async function serveCertificates({ key, allow }: AuthorityTask, { stopped, print }: TaskContext): Promise<void> {
  const keys = await ownKeys(key, '51', '52/53', print)
  const server = await startAuthorityServer({ authority: await createAuthority(keys), allow: allow.map(parseAllowance), onEvent: print })
  await stopped
  await server.close()
}
