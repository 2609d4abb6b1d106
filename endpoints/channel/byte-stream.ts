// The bytes of a connection, in the clear or through an encryption that lies over the socket. It pulls: bytes are read from the
// socket only while somebody waits for them, so TCP's window holds back a peer that sends faster than it is listened to.
import type { Duplex } from 'node:stream'
import type { Peer } from '../peer.js'
import type { ConnectedSocket } from './connected-socket.js'

/** 'ended': the peer sends no more (FIN). 'lost': any other end of the connection. 'late': the deadline passed first. */
export type ReadOutcome = Uint8Array | 'ended' | 'lost' | 'late'
export type WriteOutcome = 'taken' | 'lost' | 'late'

export class ByteStream {
  readonly local: Peer
  readonly peer: Peer
  readonly #socket: ConnectedSocket
  /** What is read and written: the socket itself, or the plaintext of an encryption over it. */
  readonly #plaintext: Duplex
  /** Those who wait for the socket to change in any way; each looks again by itself. */
  readonly #waiting = new Set<() => void>()
  readonly #changed = (): void => { for (const wake of [...this.#waiting]) wake() }
  #unread: Uint8Array | null = null
  #ended = false
  #failure: Error | null = null

  /**
   * @param socket connected, with allowHalfOpen, and not read from before
   * @param plaintext of an encryption over it: half-open too, and destroyed by itself when the socket is
   */
  constructor(socket: ConnectedSocket, plaintext: Duplex = socket) {
    this.#socket = socket
    this.#plaintext = plaintext
    this.local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    this.peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    socket.setNoDelay?.(true)
    socket.setKeepAlive?.(true, 30_000)
    plaintext.on('readable', this.#changed).on('drain', this.#changed).on('finish', this.#changed).on('close', this.#changed)
    plaintext.on('end', () => { this.#ended = true; this.#changed() })
    for (const each of new Set([plaintext, socket])) each.on('error', error => { this.#failure ??= error; this.#changed() })
  }

  /** Why it was lost, as far as the system says; else ''. */
  get trouble(): string { return this.#failure?.message ?? '' }

  /**
   * The next bytes that come, in order. `deadline` as of `deadlineOf`. A `signal` ends the wait as the deadline does, at once: what
   * comes from then on is the next reader's.
   */
  async read(deadline = Infinity, signal?: AbortSignal): Promise<ReadOutcome> {
    signal?.addEventListener('abort', this.#changed, { once: true })
    try {
      return await this.#readNext(deadline, signal)
    } finally {
      signal?.removeEventListener('abort', this.#changed)
    }
  }

  async #readNext(deadline: number, signal: AbortSignal | undefined): Promise<ReadOutcome> {
    for (;;) {
      if (signal?.aborted) return 'late'
      const chunk = this.#take()
      if (chunk) return chunk
      if (this.#failure || (this.#isDestroyed && !this.#ended)) return 'lost'
      if (this.#ended) return 'ended'
      if (!await this.#change(deadline)) return 'late'
    }
  }

  /** Puts bytes back that were read too far; they come again first. */
  unread(bytes: Uint8Array): void { if (bytes.length > 0) this.#unread = bytes }

  /** Resolves when the bytes are on their way and there is room for more (back-pressure). */
  async write(bytes: Uint8Array, deadline = Infinity): Promise<WriteOutcome> {
    if (!this.#takes()) return 'lost'
    this.#plaintext.write(bytes)
    while (this.#plaintext.writableNeedDrain) {
      if (!this.#takes()) return 'lost'
      if (!await this.#change(deadline)) return 'late'
    }
    return 'taken'
  }

  /** Ends this direction (FIN) behind all that was written. Resolves when the system has taken all of it; reading goes on. */
  async end(deadline = Infinity): Promise<WriteOutcome> {
    if (!this.#plaintext.writableEnded) this.#plaintext.end()
    while (!this.#plaintext.writableFinished) {
      if (this.#failure || this.#isDestroyed) return 'lost'
      if (!await this.#change(deadline)) return 'late'
    }
    return 'taken'
  }

  /** Calls when the connection is lost or reset; not when both directions end in order. Returns how not to be called any more. */
  onGone(listener: () => void): () => void {
    const onClose = () => { if (!this.#ended || !this.#plaintext.writableFinished) listener() }
    this.#plaintext.once('close', onClose)
    return () => this.#plaintext.off('close', onClose)
  }

  /** Throws away what still comes until the peer has ended its direction. False when the deadline passed first. */
  async drain(deadline: number): Promise<boolean> {
    while (!this.#ended && !this.#isDestroyed) {
      if (this.#take() === null && !await this.#change(deadline)) return false
      if (performance.now() > deadline) return false
    }
    return true
  }

  // Either end of the connection is the socket's alone, and the plaintext follows: a TLSSocket that is destroyed by hand in the same
  // moment as its socket is reset brings Node 20 down (a segmentation fault).
  destroy(): void { this.#socket.destroy() }

  /** Ends the connection at once with RST, which leaves no TIME_WAIT behind. */
  reset(): void { if (!this.#socket.destroyed) this.#socket.resetAndDestroy() }

  #takes(): boolean { return this.#plaintext.writable && !this.#socket.destroyed }

  get #isDestroyed(): boolean { return this.#plaintext.destroyed || this.#socket.destroyed }

  #take(): Uint8Array | null {
    const unread = this.#unread
    this.#unread = null
    if (unread) return unread
    const chunk: unknown = this.#plaintext.read()
    return chunk instanceof Uint8Array ? chunk : null
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
}

/** The time `within` ms from now, as of performance.now(), which no change of the machine's clock moves; without a limit, never. */
export const deadlineOf = (within: number | undefined): number => within === undefined ? Infinity : performance.now() + within
