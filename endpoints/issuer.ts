// The request issuer (102): asks the server for a connection with the equipment that it names, and waits for that equipment
// to connect to it. In order: listen (1600), first connection (211) and 217 (S203), then either a refusal or the direct
// connection (208), which is taken only if it greets with this request's token (awaited-caller.ts).
import { randomBytes } from 'node:crypto'
import { AwaitedCaller } from './awaited-caller.js'
import { plainChannel } from './channel/socket-channel.js'
import { keyedServer } from './channel/tls-channel.js'
import { TIMEOUTS } from './defaults.js'
import { isOverUdp, isUnderTls } from './connection.js'
import { EndpointError } from './errors.js'
import { CONNECTION_KEY_LENGTH, TOKEN_LENGTH, UDP_TRANSPORT } from './message/index.js'
import { emitter, wallClock } from './events.js'
import { Issuing } from './issuing.js'
import { cancelled } from './sockets.js'
import type { Channel } from './channel/channel.js'
import type { OnKeys } from './channel/tls-channel.js'
import type { Connection, Data } from './connection.js'
import type { IssuingOptions } from './issuing.js'
import type { Message } from './message/index.js'
import type { Local, Peer } from './peer.js'

export interface RequestOptions extends IssuingOptions {
  /** Of the equipment; needed at level 3, and absent below. */
  readonly password?: string
  /** Where the direct connection is awaited on this machine; any port when absent. */
  readonly listen?: Local
  /**
   * The address and port at which the acceptor reaches that listener: those of the router's WAN side. When absent, the
   * listener's own port at the address that the first connection comes from, which is right without a router between.
   */
  readonly reachedAt?: Peer
  /** `tls` and `udp-tls` need a first connection that is encrypted, as the key of the direct one travels on it. `tcp` when absent. */
  readonly data?: Data
  /** Gets the keys of a direct connection under TLS. */
  readonly onDataKeys?: OnKeys
}

/** @throws EndpointError when the request fails; its reason is the server's or the acceptor's where they gave one */
export async function requestConnection(options: RequestOptions): Promise<Connection> {
  const { signal, clock = wallClock, random = randomBytes, equipmentId, password, reachedAt, data = 'tcp', onDataKeys } = options
  const emit = emitter('102', options.onEvent, clock)
  if (signal?.aborted) throw cancelled('the request')
  const token = Buffer.from(random(TOKEN_LENGTH)).toString('hex')
  const key = isUnderTls(data) ? random(CONNECTION_KEY_LENGTH) : null
  const within = options.timeouts?.message ?? TIMEOUTS.message
  const awaited = await AwaitedCaller.listen(options.listen ?? {}, { token, within, emit, transport: isOverUdp(data) ? 'udp' : 'tcp', openChannel: key ? keyedServer(key, onDataKeys) : plainChannel })
  const compose = (first: Channel): Message => {
    const { address, port } = reachedAt ?? { address: first.local.address, port: awaited.local.port }
    if (key && !first.isEncrypted) throw keyInTheClear()
    const secrets = { ...(password === undefined ? {} : { password }), ...(key ? { connectionKey: Buffer.from(key).toString('hex') } : {}) }
    return { name: 'request', equipmentId, ...secrets, address, port, token, ...(isOverUdp(data) ? { transport: UDP_TRANSPORT } : {}) }
  }
  return await new Issuing(options, { apparatus: '102', steps: { first: 'S203', connected: 'S209' }, compose, isRelayed: false }, awaited, emit).run()
}

const keyInTheClear = (): EndpointError => new EndpointError(
  'encryption-failed', 'the key of the direct connection would travel in the clear', 'encrypt the connection to the server, or send the data in the clear too')
