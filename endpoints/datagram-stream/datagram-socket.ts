// A stream over datagrams as a Duplex over a UDP socket: it moves what connection.ts decides. The UDP socket is connected, so
// the system drops what others send and tells of ICMP errors; it closes with the stream, after what is still to be said.
import { Duplex } from 'node:stream'
import { systemCode } from '../errors.js'
import { addressOf } from '../sockets.js'
import { RECEIVE_WINDOW } from './incoming.js'
import type { Socket as UdpSocket } from 'node:dgram'
import type { ConnectedSocket } from '../channel/connected-socket.js'
import type { Peer } from '../peer.js'
import type { DatagramConnection } from './connection.js'

/** Bytes that may wait for their acknowledgement before a writer has to pause. */
const SEND_BUFFER = 512 * 1024
/** Nobody is there, or no way leads there; of other errors of sending the datagram alone suffers, which is sent again. */
const UNREACHABLE = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']

/** Emits `connect` when the other end has answered. */
export class DatagramSocket extends Duplex implements ConnectedSocket {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #udp: UdpSocket
  readonly #connection: DatagramConnection
  /** Milliseconds, of any origin. */
  readonly #clock: () => number
  #isPending = false
  #isConnected = false
  #wantsBytes = false
  #hasEnded = false
  #written: (() => void) | null = null
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  /** Datagrams that the system has not taken yet. */
  #sending = 0
  #isClosed = false

  /** @param udp connected; it belongs to this stream from now on */
  constructor(udp: UdpSocket, connection: DatagramConnection, clock: () => number) {
    super()
    const local: Peer = addressOf(udp), remote = udp.remoteAddress()
    this.localAddress = local.address
    this.localPort = local.port
    this.remoteAddress = remote.address
    this.remotePort = remote.port
    this.#udp = udp
    this.#connection = connection
    this.#clock = clock
    udp.setRecvBufferSize(2 * RECEIVE_WINDOW) // as far as the system allows
    udp.on('message', (datagram, from) => {
      // The system may still hold what others sent before the socket was connected.
      if (from.address !== this.remoteAddress || from.port !== this.remotePort) return
      connection.receive(this.#clock(), datagram)
      this.#schedule()
    })
    udp.on('error', error => this.#onTrouble(error))
    this.#schedule()
  }

  resetAndDestroy(): this {
    this.#connection.reset()
    return this.destroy()
  }

  override _read(): void {
    this.#wantsBytes = true
    this.#schedule()
  }

  override _write(chunk: Uint8Array, _encoding: string, written: () => void): void {
    this.#connection.write(chunk)
    this.#written = written
    this.#schedule()
  }

  override _final(done: () => void): void {
    this.#connection.end()
    this.#schedule()
    done()
  }

  /** After `end` what was written still goes out in the background; otherwise the connection is reset. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.writableFinished && !error) this.#connection.abandon(this.#clock())
    else this.#connection.reset()
    this.#schedule()
    done(error)
  }

  /** Everything that comes in one turn of the event loop is answered at its end, once. */
  #schedule(): void {
    if (this.#isPending || this.#isClosed) return
    this.#isPending = true
    setImmediate(() => {
      this.#isPending = false
      this.#move()
    })
  }

  #move(): void {
    const now = this.#clock(), connection = this.#connection
    connection.advance(now)
    if (connection.state === 'open' && !this.#isConnected) {
      this.#isConnected = true
      this.emit('connect')
    }
    if (!this.destroyed) this.#deliver(now)
    for (let datagram = connection.transmit(now); datagram !== null; datagram = connection.transmit(now)) this.#send(datagram)
    if (this.#written && connection.held < SEND_BUFFER) {
      const written = this.#written
      this.#written = null
      written()
    }
    if (connection.state === 'over') this.#close()
    else this.#setTimer(now, connection.deadline)
  }

  #deliver(now: number): void {
    while (this.#wantsBytes) {
      const bytes = this.#connection.read(now)
      if (bytes === null) break
      this.#wantsBytes = this.push(bytes)
    }
    if (!this.#connection.isReadOver || this.#hasEnded) return
    this.#hasEnded = true
    this.push(null)
  }

  #send(datagram: Uint8Array): void {
    this.#sending++
    this.#udp.send(datagram, error => {
      this.#sending--
      if (error) this.#onTrouble(error)
      if (this.#isClosed && this.#sending === 0) this.#udp.close()
    })
  }

  #onTrouble(error: Error): void {
    if (!UNREACHABLE.includes(systemCode(error))) return
    if (this.#connection.state === 'opening') this.destroy(error)
    else this.#connection.unreachable(this.#clock())
    this.#schedule()
  }

  /** One timer; when it runs out too early it is set anew. */
  #setTimer(now: number, deadline: number): void {
    if (deadline >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = deadline
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity
      this.#move()
    }, Math.max(1, deadline - now))
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    const { trouble } = this.#connection
    if (!this.destroyed && trouble) this.destroy(new Error(trouble))
    if (this.#sending === 0) this.#udp.close()
  }
}
