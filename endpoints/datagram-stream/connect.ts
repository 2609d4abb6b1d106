// 103's end of a stream over datagrams: from a UDP port of its own to where the issuer awaits it.
import { randomBytes } from 'node:crypto'
import { CONNECTION_ID_LENGTH } from '../message/datagram.js'
import { bindUdp, connectUdp, untilConnected } from '../sockets.js'
import { DatagramConnection } from './connection.js'
import { DatagramSocket } from './datagram-socket.js'
import type { ConnectOptions } from '../sockets.js'

/**
 * @param token of the request; the other end answers no other
 * @throws EndpointError when no connection comes about
 */
export async function connectDatagrams(what: string, options: ConnectOptions, token: string): Promise<DatagramSocket> {
  const udp = await bindUdp(`UDP port for ${what}`, options.from ?? {})
  await connectUdp(udp, options.to, what)
  const clock = (): number => performance.now()
  const id = randomBytes(CONNECTION_ID_LENGTH).toString('hex')
  return await untilConnected(new DatagramSocket(udp, DatagramConnection.call(clock(), id, token), clock), what, options)
}
