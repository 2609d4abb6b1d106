// Fig. 5 on a bench, in front of the sequence of Fig. 2: the CA (51) certifies the server (101: 63, 64, 54), and hands its own
// certificate out to 102 and 103 (55). All of it crosses the wire.
import { readFileSync } from 'node:fs'
import { generateKeys, privatePem } from '../../endpoints/ca/keys.js'
import { parseBehaviour } from '../../napt/behaviour/read-behaviour.js'
import type { RouterClient } from '../../napt/control/client.js'
import type { Apparatus } from '../programs/apparatus.js'
import type { BenchDescription } from '../bench/bench.js'
import type { Credentials } from '../programs/make-credentials.js'
import { AUTHORITY, hostAddress, SERVER } from './placement.js'
import { RUN_FOLDER } from '../bench/protocol.js'
import type { Stage } from './scenario.js'

/** What each has got is kept on the bench. */
const FOLDER = `${RUN_FOLDER}/${SERVER}`, KEY = `${FOLDER}/server.key`, CERTIFICATE = `${FOLDER}/server.crt`
const authorityFile = (host: '102' | '103'): string => `${RUN_FOLDER}/${host}-ca.crt`

/** Who takes part; no `authority` where there is none. */
export interface Enrolling { readonly authority: Apparatus | null, readonly server: Apparatus, readonly issuer: Apparatus, readonly acceptor: Apparatus }

/** The private keys 53 and 61 (PEM). */
export interface KeysBeforehand { readonly authority: string, readonly server: string }

/**
 * Makes the key pairs of 51 and 101 in their place, while the bench comes up: that takes longer than all that they do with them. One
 * after the other, since on two cores the bench has the other one.
 */
export async function makeKeysBeforehand(): Promise<KeysBeforehand> {
  const make = async (): Promise<string> => privatePem((await generateKeys()).privateKey)
  return { authority: await make(), server: await make() }
}

/** How 101 enrols; null without a CA. The programs have had no task yet, and wait for theirs afterwards. */
export function enrolment(stage: Stage, bench: BenchDescription, keys: Promise<KeysBeforehand> | null, programs: Enrolling): (() => Promise<Credentials>) | null {
  const { authority } = programs
  return authority === null || keys === null ? null : async () => await enrol(stage, bench, await keys, authority, programs)
}

/**
 * Lets 51 certify 101, and 102 and 103 get the CA certificate. The routers have forgotten it afterwards, as if it had been long ago:
 * their next ports are those of the figures.
 * @throws ApparatusError when one of them fails
 */
async function enrol(stage: Stage, bench: BenchDescription, keys: KeysBeforehand, authority: Apparatus, { server, issuer, acceptor }: Enrolling): Promise<Credentials> {
  const address = hostAddress(bench, AUTHORITY), name = hostAddress(bench, SERVER)
  authority.begin({ role: 'authority', key: keys.authority, allow: [name] })
  server.begin({ role: 'enrol', key: keys.server, authority: address, names: [name], folder: FOLDER })
  await stage.watching
  const between = Object.keys(bench.routers ?? {}).map(router => stage.router(router))
  await Promise.all(between.map(stepBack))
  await authority.event('listening')
  server.proceed()
  issuer.begin({ role: 'fetch-authority', apparatus: '102', authority: address, file: authorityFile('102') })
  acceptor.begin({ role: 'fetch-authority', apparatus: '103', authority: address, file: authorityFile('103') })
  await Promise.all([server, issuer, acceptor].map(program => program.event('credentials-stored')))
  await stage.settled()
  await Promise.all(between.map(router => router.request({ op: 'flush' })))
  authority.stop()
  const read = (path: string): string => readFileSync(stage.outside(path), 'utf8')
  return { key: read(KEY), certificate: read(CERTIFICATE), ca: read(authorityFile('102')) }
}

/** Lets a router that counts its ports up give 55 the one before the first, which the figures have for what follows. */
async function stepBack(router: RouterClient): Promise<void> {
  const { firstPort, portRange } = parseBehaviour((await router.request({ op: 'info' })).nat)
  if (firstPort.tcp > portRange.from) await router.request({ op: 'nextPort', protocol: 'tcp', port: firstPort.tcp - 1 })
}
