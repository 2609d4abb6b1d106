// What 101, 102 and 103 do beforehand on a bench with a CA (endpoint-process.ts). What they get is kept below RUN_FOLDER, which goes
// with the bench.
import { enrol, fetchAuthority } from '../../endpoints/ca/client.js'
import { claimServerFolder, saveEnrolment, saveNew } from '../../endpoints/ca/files.js'
import { wallClock, type OnEvent } from '../../endpoints/events.js'
import { ownKeys } from './own-keys.js'
import type { TaskContext } from './task-context.js'

/** 101: waits for a line on standard input and gets certificate 65 for its key pair, which it makes where it is given none. It waits for another task then. */
export interface EnrolTask {
  readonly role: 'enrol'
  /** 61, PEM, where it was made beforehand. */
  readonly key?: string
  readonly authority: string
  readonly names: readonly string[]
  /** For server.key, server.crt and ca.crt. */
  readonly folder: string
}

/** 102, 103: gets the CA certificate. It waits for another task then. */
export interface FetchAuthorityTask {
  readonly role: 'fetch-authority'
  readonly apparatus: '102' | '103'
  readonly authority: string
  readonly file: string
}

/** A line tells when the network may be used: there is enough to be done before. */
export async function enrolBeforehand({ key, authority: address, names, folder }: EnrolTask, { lines, stopped, print }: TaskContext): Promise<void> {
  const keys = await ownKeys(key, '101', '61/62', print)
  if (await Promise.race([lines.next(), stopped.then(() => null)]) === null) return
  const enrolment = await enrol({ authority: { address }, apparatus: '101', keys, names, onEvent: print })
  await claimServerFolder(folder)
  stored('101', await saveEnrolment(folder, keys.privateKey, enrolment), print)
}

export async function fetchBeforehand({ apparatus, authority: address, file }: FetchAuthorityTask, { print }: TaskContext): Promise<void> {
  const authority = await fetchAuthority({ authority: { address }, apparatus, onEvent: print })
  stored(apparatus, await saveNew([{ path: file, text: authority.toString() }]), print)
}

function stored(apparatus: '101' | '102' | '103', paths: readonly string[], print: OnEvent): void {
  print({ time: wallClock(), apparatus, event: 'credentials-stored', paths })
}
