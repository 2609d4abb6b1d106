// Messages over the bytes of a connection.
import { Defect, StreamDecoder, encode, labelOf } from '../message/index.js'
import { ByteStream, deadlineOf } from './byte-stream.js'
import { ChannelError } from './channel.js'
import type { Duplex } from 'node:stream'
import type { Channel, OpenChannel } from './channel.js'
import type { ConnectedSocket } from './connected-socket.js'
import type { Message, MessageName, MessageOf } from '../message/index.js'
import type { Peer } from '../peer.js'

/** How long a closing side waits for the other one, milliseconds. */
const LINGER = 1000

export class SocketChannel implements Channel {
  readonly isEncrypted: boolean
  readonly #stream: ByteStream
  readonly #decoder = new StreamDecoder()

  /**
   * @param socket connected, with allowHalfOpen, and not read from before
   * @param plaintext of an encryption over it, if there is one
   */
  constructor(socket: ConnectedSocket, plaintext?: Duplex) {
    this.isEncrypted = plaintext !== undefined
    this.#stream = new ByteStream(socket, plaintext)
  }

  get local(): Peer { return this.#stream.local }
  get peer(): Peer { return this.#stream.peer }

  async send(message: Message, within?: number): Promise<void> {
    const outcome = await this.#stream.write(encode(message), deadlineOf(within))
    if (outcome === 'lost') throw this.#lost(`while ${labelOf(message.name)} was sent`)
    if (outcome === 'late') throw new ChannelError('timed-out', `the other end took nothing for ${within} ms`)
  }

  async receive<N extends MessageName>(accepts: readonly N[], within?: number, signal?: AbortSignal): Promise<MessageOf<N>> {
    const deadline = deadlineOf(within)
    const wanted = accepts.map(labelOf).join(' or ')
    for (;;) {
      const message = this.#decoder.next(accepts)
      if (message instanceof Defect) throw new ChannelError('malformed', message.toString())
      if (message) return message
      const chunk = await this.#stream.read(deadline, signal)
      if (chunk === 'lost') throw this.#lost(`while waiting for ${wanted || 'its end'}`)
      if (chunk === 'ended') throw this.#closed(wanted)
      if (chunk === 'late') throw new ChannelError('timed-out', `${wanted} did not come within ${within} ms${this.#half()}`)
      this.#decoder.push(chunk)
    }
  }

  release(): ByteStream {
    this.#stream.unread(this.#decoder.release())
    return this.#stream
  }

  async close(within = LINGER): Promise<void> {
    void this.#stream.end() // drain and destroy bound it
    await this.#stream.drain(deadlineOf(within))
    this.#stream.destroy()
  }

  async closeAfterPeer(within = LINGER): Promise<void> {
    if (await this.#stream.drain(deadlineOf(within))) await this.close()
    else this.reset()
  }

  reset(): void {
    this.#stream.reset()
  }

  #lost(when: string): ChannelError {
    const { trouble } = this.#stream
    return new ChannelError('lost', `the connection was lost ${when}${trouble ? ` (${trouble})` : ''}`)
  }

  #closed(wanted: string): ChannelError {
    return this.#decoder.held > 0
      ? new ChannelError('malformed', `the connection ended within a message${this.#half()}`)
      : new ChannelError('closed', `the other end closed the connection${wanted && ` before ${wanted}`}`)
  }

  #half(): string {
    return this.#decoder.held > 0 ? `, after ${this.#decoder.held} bytes of a message` : ''
  }
}

export const plainChannel: OpenChannel = socket => Promise.resolve(new SocketChannel(socket))
