// Messages over a stream socket, in the clear or whatever the socket does below. It pulls: bytes are read from the socket
// only while somebody waits for a message, so TCP's window holds back a peer that sends faster than it is listened to.
import { Defect, StreamDecoder, encode, labelOf } from '../message/index.js'
import { messageOf } from '../errors.js'
import { ChannelError } from './channel.js'
import type { Socket } from 'node:net'
import type { Channel, OpenChannel } from './channel.js'
import type { Message, MessageName, MessageOf } from '../message/index.js'
import type { Peer } from '../peer.js'

/** How long a closing side waits for the other one, milliseconds. */
const LINGER = 1000

export class SocketChannel implements Channel {
  readonly local: Peer
  readonly peer: Peer
  readonly #socket: Socket
  readonly #decoder = new StreamDecoder()
  /** Those who wait for the socket to change in any way; each looks again by itself. */
  readonly #waiting = new Set<() => void>()
  #ended = false
  #failure: Error | null = null

  /** @param socket connected, with allowHalfOpen, and not read from before */
  constructor(socket: Socket) {
    this.#socket = socket
    this.local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    this.peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    const changed = () => { for (const wake of [...this.#waiting]) wake() }
    socket.on('readable', changed).on('drain', changed).on('close', changed)
    socket.on('end', () => { this.#ended = true; changed() })
    socket.on('error', error => { this.#failure = error; changed() })
  }

  async send(message: Message, within?: number): Promise<void> {
    const bytes = encode(message)
    const deadline = deadlineOf(within)
    if (!this.#takes()) throw this.#lost(`before ${labelOf(message.name)} was sent`)
    this.#socket.write(bytes)
    while (this.#socket.writableNeedDrain) {
      if (!this.#takes()) throw this.#lost(`while ${labelOf(message.name)} was sent`)
      if (!await this.#change(deadline)) throw new ChannelError('timed-out', `the other end took nothing for ${within} ms`)
    }
  }

  async receive<N extends MessageName>(accepts: readonly N[], within?: number): Promise<MessageOf<N>> {
    const deadline = deadlineOf(within)
    const wanted = accepts.map(labelOf).join(' or ')
    for (;;) {
      const message = this.#decoder.next(accepts)
      if (message instanceof Defect) throw new ChannelError('malformed', message.toString())
      if (message) return message
      const chunk = this.#read()
      if (chunk) this.#decoder.push(chunk)
      else if (this.#failure || (this.#socket.destroyed && !this.#ended)) throw this.#lost(`while waiting for ${wanted || 'its end'}`)
      else if (this.#ended) throw this.#closed(wanted)
      else if (!await this.#change(deadline)) throw new ChannelError('timed-out', `${wanted} did not come within ${within} ms${this.#half()}`)
    }
  }

  async close(within = LINGER): Promise<void> {
    if (!this.#socket.writableEnded) this.#socket.end()
    await this.#untilEnd(within)
    this.#socket.destroy()
  }

  async closeAfterPeer(within = LINGER): Promise<void> {
    if (await this.#untilEnd(within)) await this.close()
    else this.reset()
  }

  reset(): void {
    if (!this.#socket.destroyed) this.#socket.resetAndDestroy()
  }

  #takes(): boolean {
    return this.#socket.writable
  }

  #read(): Uint8Array | null {
    const chunk: unknown = this.#socket.read()
    return chunk instanceof Uint8Array ? chunk : null
  }

  /** Throws away what still comes, until the other end has closed. */
  async #untilEnd(within: number): Promise<boolean> {
    const deadline = deadlineOf(within)
    while (!this.#ended && !this.#socket.destroyed) {
      if (this.#read() === null && !await this.#change(deadline)) return false
      if (performance.now() > deadline) return false
    }
    return true
  }

  /** False when the deadline passed first. */
  #change(deadline: number): Promise<boolean> {
    return new Promise(resolve => {
      const settle = (changed: boolean) => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve(changed)
      }
      const wake = () => settle(true)
      const timer = deadline === Infinity ? undefined : setTimeout(settle, Math.max(0, deadline - performance.now()), false)
      this.#waiting.add(wake)
    })
  }

  #lost(when: string): ChannelError {
    return new ChannelError('lost', `the connection was lost ${when}${this.#failure ? ` (${messageOf(this.#failure)})` : ''}`)
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

// Measured with performance.now(), which no change of the machine's clock moves.
const deadlineOf = (within: number | undefined): number => within === undefined ? Infinity : performance.now() + within

export const plainChannel: OpenChannel = socket => Promise.resolve(new SocketChannel(socket))
