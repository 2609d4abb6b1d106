// A channel carries framed messages over a connected socket. The sequence of Fig. 2 knows only this interface, so that an
// encrypted channel takes the place of the plain one without a change to the sequence: it is given to an apparatus as an
// `OpenChannel`, which gets the connected socket and returns the channel when its handshake, if any, is done.
import type { Message, MessageName, MessageOf } from '../message/index.js'
import type { Peer } from '../peer.js'
import type { ByteStream } from './byte-stream.js'
import type { ConnectedSocket } from './connected-socket.js'

/**
 * Why a channel gave no message. 'closed' is an orderly end between two messages, 'lost' any other end; 'refused': the other end does
 * not accept this end's certificate.
 */
export type ChannelFault = 'closed' | 'lost' | 'timed-out' | 'malformed' | 'refused'

export class ChannelError extends Error {
  constructor(readonly fault: ChannelFault, sentence: string) {
    super(sentence)
    this.name = 'ChannelError'
  }
}

export interface Channel {
  readonly local: Peer
  readonly peer: Peer
  /** False: whoever is on the path can read it. */
  readonly isEncrypted: boolean
  /**
   * Resolves when the message is on its way and there is room for another one (back-pressure).
   * @param within milliseconds until the channel gives up; none means that it waits as long as it takes
   * @throws ChannelError
   */
  send(message: Message, within?: number): Promise<void>
  /**
   * The next message, which must be one of `accepts`. One reader at a time. With an empty list it waits for the end of the
   * connection, since any message is then a fault.
   * @param within milliseconds for the whole message, however slowly its bytes come
   * @param signal ends the wait as a time-out does; what comes from then on is left to the next receiver
   * @throws ChannelError
   */
  receive<N extends MessageName>(accepts: readonly N[], within?: number, signal?: AbortSignal): Promise<MessageOf<N>>
  /** The connection without messages: its bytes from behind the last message that was received. The channel is not used again. */
  release(): ByteStream
  /** Closes this side (FIN), waits up to `within` ms for the other to close, and frees the socket. Never rejects. */
  close(within?: number): Promise<void>
  /** As `close`, but lets the other end close first, so that TIME_WAIT is the other end's. Never rejects. */
  closeAfterPeer(within?: number): Promise<void>
  /** Ends the connection at once with RST, which leaves no TIME_WAIT behind. */
  reset(): void
}

/**
 * @param within milliseconds for the handshake
 * @throws ChannelError, EndpointError when there is no channel; the socket is destroyed then
 */
export type OpenChannel = (socket: ConnectedSocket, within: number) => Promise<Channel>
