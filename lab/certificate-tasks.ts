// What the processes of Fig. 5 on a bench are told, and how they do it (endpoint-process.ts): the CA, and what server and equipment
// do beforehand. What is theirs is kept below RUN_FOLDER, which goes with the bench.
import { certificates, wallClock, type OnEvent } from '../endpoints/index.js'

/** 51: makes its key pair and certificate, and serves until it is stopped. */
export interface AuthorityTask {
  readonly role: 'authority'
  /** Addresses that are certified for whoever asks from them. */
  readonly allow: readonly string[]
}

/** 101: makes its key pair, waits for a line on standard input, and gets certificate 65. It waits for another task then. */
export interface EnrolTask {
  readonly role: 'enrol'
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

export async function serveCertificates({ allow }: AuthorityTask, stopped: Promise<unknown>, print: OnEvent): Promise<void> {
  const keys = await makeKeys('51', '52/53', print)
  const server = await certificates.startAuthorityServer({
    authority: await certificates.createAuthority(keys), allow: allow.map(certificates.parseAllowance), onEvent: print,
  })
  await stopped
  await server.close()
}

/** `go` tells when the network may be used: making a key and loading what makes a request take longer than all the rest. */
export async function enrolBeforehand({ authority: address, names, folder }: EnrolTask, go: AsyncIterator<unknown>, print: OnEvent): Promise<void> {
  const keys = await makeKeys('101', '61/62', print)
  await go.next()
  const enrolment = await certificates.enrol({ authority: { address }, apparatus: '101', keys, names, onEvent: print })
  await certificates.claimServerFolder(folder)
  stored('101', await certificates.saveEnrolment(folder, keys.privateKey, enrolment), print)
}

export async function fetchBeforehand({ apparatus, authority: address, file }: FetchAuthorityTask, print: OnEvent): Promise<void> {
  const authority = await certificates.fetchAuthority({ authority: { address }, apparatus, onEvent: print })
  stored(apparatus, await certificates.saveNew([{ path: file, text: authority.toString() }]), print)
}

/** Loads, meanwhile, what the keys are used with. */
async function makeKeys(apparatus: '51' | '101', step: '52/53' | '61/62', print: OnEvent): Promise<certificates.KeyPair> {
  const making = certificates.generateKeys()
  certificates.loadX509()
  const keys = await making
  print({ time: wallClock(), apparatus, event: 'keys-made', step })
  return keys
}

function stored(apparatus: '101' | '102' | '103', paths: readonly string[], print: OnEvent): void {
  print({ time: wallClock(), apparatus, event: 'credentials-stored', paths })
}
