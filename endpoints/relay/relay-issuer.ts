// The issuer of Fig. 13 (12): connects to the relay server (33), names the acceptor (34), and has a connection with it through the
// server when the server accepts. In the hybrid system it says where it can be reached, and the acceptor may connect to it there.
import { randomBytes } from 'node:crypto'
import { AwaitedCaller } from '../awaited-caller.js'
import { plainChannel } from '../channel/socket-channel.js'
import { TIMEOUTS } from '../defaults.js'
import { TOKEN_LENGTH } from '../message/index.js'
import { emitter, wallClock } from '../events.js'
import { Issuing } from '../issuing.js'
import { cancelled } from '../sockets.js'
import type { Channel } from '../channel/channel.js'
import type { Connection } from '../connection.js'
import type { IssuingOptions } from '../issuing.js'
import type { Message } from '../message/index.js'
import type { Local } from '../peer.js'

export interface RelayedRequestOptions extends IssuingOptions {
  /** Where a direct connection is awaited, in the hybrid system; without it the connection is relayed. */
  readonly listen?: Local
}

/** @throws EndpointError when the request fails; its reason is the server's or the acceptor's where they gave one */
export async function requestRelayed(options: RelayedRequestOptions): Promise<Connection> {
  const { signal, clock = wallClock, random = randomBytes, equipmentId, listen } = options
  const emit = emitter('12', options.onEvent, clock)
  if (signal?.aborted) throw cancelled('the request')
  const token = Buffer.from(random(TOKEN_LENGTH)).toString('hex')
  const within = options.timeouts?.message ?? TIMEOUTS.message
  const awaited = listen ? await AwaitedCaller.listen(listen, { token, within, emit, openChannel: plainChannel }) : null
  const compose = (first: Channel): Message =>
    ({ name: 'relayRequest', equipmentId, ...(awaited ? { address: first.local.address, port: awaited.local.port } : {}), token })
  return await new Issuing(options, { apparatus: '12', compose, isRelayed: true }, awaited, emit).run()
}
