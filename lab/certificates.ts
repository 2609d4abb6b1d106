// Fig. 5 on a bench, in front of the sequence of Fig. 2: the CA (51) certifies the server (101: 63, 64, 54), and hands its own
// certificate out to 102 and 103 (55). All of it crosses the wire.
import type { Lane } from '../captures/index.js'
import { parseBehaviour } from '../napt/behaviour/read-behaviour.js'
import type { RouterClient } from '../napt/control/client.js'
import type { Apparatus } from './apparatus.js'
import type { BenchDescription } from './bench.js'
import { RUN_FOLDER } from './protocol.js'
import type { Stage } from './scenario.js'

const AUTHORITY = '130.74.23.51', SERVER = '130.74.23.6'

/** The CA's place in the ladder: beside the server. */
export const AUTHORITY_LANE: Lane = { name: '51', address: AUTHORITY }

/** Where the programs of a bench find what they have got. */
export const CREDENTIALS = {
  key: `${RUN_FOLDER}/101/server.key`, certificate: `${RUN_FOLDER}/101/server.crt`,
  /** The CA certificate, as each of 102 and 103 has it. */
  authority: { 102: `${RUN_FOLDER}/102-ca.crt`, 103: `${RUN_FOLDER}/103-ca.crt` },
} as const

export interface Enrolling { readonly server: Apparatus, readonly issuer: Apparatus, readonly acceptor: Apparatus }

/**
 * Lets 51 certify 101, and 102 and 103 get the CA certificate; the programs then wait for what else they are to do. The routers
 * have forgotten it afterwards, as if it had been long ago: their next ports are those of the figures.
 * @throws ApparatusError when one of them fails
 */
export async function enrol(stage: Stage, { routers = {} }: BenchDescription, { server, issuer, acceptor }: Enrolling): Promise<void> {
  // What takes long comes first, and at the same time: two key pairs, and loading the library that makes certificates.
  const authority = stage.program('51')
  authority.begin({ role: 'authority', allow: [SERVER] })
  server.begin({ role: 'enrol', authority: AUTHORITY, names: [SERVER], folder: `${RUN_FOLDER}/101` })
  await stage.watching
  const between = Object.keys(routers).map(name => stage.router(name))
  await Promise.all(between.map(stepBack))
  await authority.event('listening')
  server.proceed()
  issuer.begin({ role: 'fetch-authority', apparatus: '102', authority: AUTHORITY, file: CREDENTIALS.authority[102] })
  acceptor.begin({ role: 'fetch-authority', apparatus: '103', authority: AUTHORITY, file: CREDENTIALS.authority[103] })
  await Promise.all([server.event('certificate-obtained'), issuer.event('authority-obtained'), acceptor.event('authority-obtained')])
  await stage.settled()
  await Promise.all(between.map(router => router.request({ op: 'flush' })))
  authority.stop()
}

/** Lets a router that counts its ports up give 55 the one before the first, which the figures have for what follows. */
async function stepBack(router: RouterClient): Promise<void> {
  const { firstPort, portRange } = parseBehaviour((await router.request({ op: 'info' })).nat)
  if (firstPort.tcp > portRange.from) await router.request({ op: 'nextPort', protocol: 'tcp', port: firstPort.tcp - 1 })
}
