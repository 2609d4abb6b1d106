// 102's end of a stream over datagrams: a UDP port at which the one caller with the request's token is awaited. The port then
// belongs to the stream with it.
import { randomBytes } from 'node:crypto'
import { CONNECTION_ID_LENGTH, decodePacket } from '../message/datagram.js'
import { messageOf } from '../errors.js'
import { formatPeer } from '../peer.js'
import { addressOf, bindUdp, connectUdp } from '../sockets.js'
import { DatagramConnection } from './connection.js'
import { DatagramSocket } from './datagram-socket.js'
import type { Socket as UdpSocket } from 'node:dgram'
import type { Emit } from '../events.js'
import type { DatagramPacket } from '../message/datagram.js'
import type { Local, Peer } from '../peer.js'

/** Strangers that are told of; their datagrams are never answered, and there may be any number. */
const MAX_TOLD = 16

/** @throws EndpointError when the port cannot be bound */
export async function listenDatagrams(what: string, at: Local, token: string, emit: Emit): Promise<DatagramListener> {
  return new DatagramListener(await bindUdp(what, at), token, emit)
}

export class DatagramListener {
  readonly transport = 'udp'
  readonly local: Peer
  #told = 0
  /** Somebody has shown the token, and the port is theirs. */
  #hasMet = false
  #isClosed = false

  constructor(private readonly udp: UdpSocket, private readonly token: string, private readonly emit: Emit) {
    this.local = addressOf(udp)
  }

  serve(onCaller: (socket: DatagramSocket) => void): void {
    this.udp.on('message', (datagram, { address, port }) => {
      if (this.#hasMet) return
      const packet = decodePacket(datagram), from = { address, port }
      if (packet?.kind !== 'open') this.#tell('malformed', 'a datagram came that opens no connection', from)
      else if (packet.token !== this.token) this.#tell('wrong-token', 'called with the token of another request', from)
      else void this.#meet(packet, from, onCaller)
    })
    this.udp.on('error', error => this.emit({ event: 'error', reason: 'listen-failed', message: error.message }))
  }

  close(): void {
    if (!this.#hasMet && !this.#isClosed) this.udp.close()
    this.#isClosed = true
  }

  async #meet(open: DatagramPacket & { readonly kind: 'open' }, from: Peer, onCaller: (socket: DatagramSocket) => void): Promise<void> {
    this.#hasMet = true
    try {
      await connectUdp(this.udp, from, 'the direct connection')
    } catch (error) {
      this.emit({ event: 'error', reason: 'connect-failed', message: messageOf(error), ...from })
      return
    }
    if (this.#isClosed) {
      this.udp.close()
      return
    }
    this.udp.removeAllListeners('message').removeAllListeners('error')
    const clock = (): number => performance.now()
    onCaller(new DatagramSocket(this.udp, DatagramConnection.accept(clock(), randomBytes(CONNECTION_ID_LENGTH).toString('hex'), open), clock))
  }

  #tell(reason: 'malformed' | 'wrong-token', sentence: string, from: Peer): void {
    if (this.#told++ < MAX_TOLD) this.emit({ event: 'error', reason, message: `${formatPeer(from)}: ${sentence}`, ...from })
  }
}
