// The CA (51) of Fig. 5 on a bench (endpoint-process.ts).
import { createAuthority } from '../../endpoints/ca/authority.js'
import { parseAllowance } from '../../endpoints/ca/policy.js'
import { startAuthorityServer } from '../../endpoints/ca/server.js'
import { makeKeys } from './make-keys.js'
import type { TaskContext } from './task-context.js'

/** Makes its key pair and certificate, and serves until it is stopped. */
export interface AuthorityTask {
  readonly role: 'authority'
  /** Addresses that are certified for whoever asks from them. */
  readonly allow: readonly string[]
}

export async function serveCertificates({ allow }: AuthorityTask, { stopped, print }: TaskContext): Promise<void> {
  const keys = await makeKeys('51', '52/53', print)
  const server = await startAuthorityServer({ authority: await createAuthority(keys), allow: allow.map(parseAllowance), onEvent: print })
  await stopped
  await server.close()
}
