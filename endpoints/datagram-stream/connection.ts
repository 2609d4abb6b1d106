// One end of a reliable stream of bytes, both ways, over datagrams: S209 over UDP. It is pure: datagrams and the time go in,
// datagrams and the next deadline come out (datagram-socket.ts moves them). Packets: message/datagram.ts.
//
// States. The caller (103) is `opening`: it repeats OPEN, which carries the request's token and a connection ID drawn for itself,
//   until ACCEPT brings the other's ID; then it is `open`. The called end (102) is `open` from the first OPEN with the right token
//   on, and answers repeats of it with ACCEPT again. From then on every packet bears the ID of its receiver, 64 random bits. Either
//   end sends its bytes and, behind the last, its end (half-close). `over`: both ends were acknowledged, or a reset, or silence.
// Reliable. Bytes have positions in their stream; packets have numbers, a new one each time they are sent. An acknowledgement
//   names the position before which all has come, up to 32 ranges behind it, and the largest packet number that came. What is
//   missing is sent again when packets sent three or more later have come, or when the timer of RFC 6298 runs out (outgoing.ts).
// Limits. The receiver takes 512 KiB ahead of its reader and tells so as a limit; the sender keeps to it, and to the congestion
//   window of RFC 5681. At the limit it asks again and again, since the word of new room may be lost. Datagrams have up to 1,200
//   bytes, and 548 (of the 576 that every IPv4 host takes, RFC 791) after three time-outs in a row.
// Alive. A question each 15 s without other packets keeps mappings in routers (RFC 4787 REQ-5: 2 min and more, in practice 30 s)
//   and shows that the other end is there; after 60 s of silence, or 3 s of it after an ICMP error, the connection is lost.
// Strangers. What has no right checksum, ID or token changes nothing and is not answered, so an attacker off the path has to guess
//   64 bits. A repeated, late or replayed packet is a duplicate by its position: at most an acknowledgement goes to the other end.
//   IDs are new each time, so packets of an earlier connection mean nothing to a later one, and no TIME_WAIT is needed.
// Not meant: secrecy or integrity against those on the path (TLS over this stream has both), changing addresses during a
//   connection, several streams in one, paths that pass less than 548 bytes.
import { DATA_OVERHEAD, MAX_DATAGRAM, decodePacket, encodePacket } from '../message/datagram.js'
import { Incoming, RECEIVE_WINDOW } from './incoming.js'
import { Outgoing } from './outgoing.js'
import type { DatagramPacket } from '../message/datagram.js'
import type { Outbound } from './outgoing.js'

/** Milliseconds, as everything here. */
export const KEEP_ALIVE = 15_000
export const SILENCE_LIMIT = 60_000
const UNREACHABLE_LIMIT = 3_000
const OPEN_INTERVAL = 250
/** Without progress in what is still to be acknowledged, once nobody reads any more; and then for the other's end to come. */
const LINGER = 5_000
/** 576 − 20 − 8 (IPv4 and UDP). */
const SMALL_DATAGRAM = 548

type OpenPacket = DatagramPacket & { readonly kind: 'open' }

export class DatagramConnection {
  readonly #ownId: string
  readonly #token: string
  /** The other's; '' until it is known. */
  #peerId = ''
  #state: 'opening' | 'open' | 'over' = 'opening'
  #trouble = ''
  readonly #incoming = new Incoming()
  readonly #outgoing = new Outgoing(MAX_DATAGRAM - DATA_OVERHEAD, SMALL_DATAGRAM - DATA_OVERHEAD)
  #openAt: number
  #acceptIsDue = false
  #resetIsDue = false
  #questionIsDue = false
  #lastSent: number
  /** Something has to be heard by then. */
  #silentBy: number
  /** Set once nobody reads any more. */
  #lingerBy = Infinity

  private constructor(now: number, ownId: string, token: string) {
    this.#ownId = ownId
    this.#token = token
    this.#openAt = this.#lastSent = now
    this.#silentBy = now + SILENCE_LIMIT
  }

  /** The end that calls. `ownId`: CONNECTION_ID_LENGTH random bytes as hexadecimal digits. */
  static call(now: number, ownId: string, token: string): DatagramConnection { return new DatagramConnection(now, ownId, token) }

  /** The end that is called; `open` has the right token. */
  static accept(now: number, ownId: string, open: OpenPacket): DatagramConnection {
    const connection = new DatagramConnection(now, ownId, open.token)
    connection.#establish(open.id, open.limit)
    connection.#acceptIsDue = true
    return connection
  }

  get state(): 'opening' | 'open' | 'over' { return this.#state }
  /** Why it is over; '' after an orderly end, and after a reset by this end. */
  get trouble(): string { return this.#trouble }
  /** Bytes that were written and are not acknowledged yet. */
  get held(): number { return this.#outgoing.held }
  /** The other end sends no more, and all was read. */
  get isReadOver(): boolean { return this.#incoming.isOver }

  /** When `advance` has to be called at the latest, and `transmit` after it; Infinity once it is over. */
  get deadline(): number {
    if (this.#state === 'over') return Infinity
    const sending = this.#state === 'opening' ? this.#openAt : Math.min(this.#outgoing.deadline, this.#incoming.deadline, this.#lastSent + KEEP_ALIVE)
    return Math.min(sending, this.#silentBy, this.#lingerBy)
  }

  // --- the user's side ----------------------------------------------------------------------------------------------

  /** Takes bytes to be sent, however many; `held` says when to pause. */
  write(bytes: Uint8Array): void { this.#outgoing.write(bytes) }

  /** Nothing more is written. */
  end(): void { this.#outgoing.end() }

  /** The next bytes in order, or null when there are none now. They come once. */
  read(now: number): Uint8Array | null { return this.#incoming.read(now) }

  /** Nobody reads any more. What was written still goes out as long as the other end takes it; what still comes is thrown away. */
  abandon(now: number): void { this.#lingerBy = now + LINGER }

  /** Ends it at once; the other end is told. */
  reset(): void {
    if (this.#state === 'over') return
    this.#resetIsDue = this.#peerId !== ''
    this.#state = 'over'
  }

  // --- the network's side -------------------------------------------------------------------------------------------

  /** Takes a datagram, which must have come from the other end's address. Whatever is wrong with it, it is then ignored. */
  receive(now: number, datagram: Uint8Array): void {
    const packet = decodePacket(datagram)
    if (packet === null || this.#state === 'over') return
    if (packet.kind === 'open') {
      if (this.#peerId !== packet.id || this.#token !== packet.token) return
      this.#acceptIsDue = true
    } else {
      if (packet.id !== this.#ownId) return
      if (packet.kind === 'accept' ? this.#state === 'open' : this.#state === 'opening') return
      this.#take(now, packet)
    }
    this.#silentBy = now + SILENCE_LIMIT
  }

  /** Takes an ICMP error that a datagram of this end met, once it is open: soft, since anybody can forge one (RFC 1122 §4.2.3.9). */
  unreachable(now: number): void {
    if (this.#lingerBy !== Infinity) this.#state = 'over'
    else if (now + UNREACHABLE_LIMIT < this.#silentBy) {
      this.#silentBy = now + UNREACHABLE_LIMIT
      this.#questionIsDue = true
    }
  }

  /** Lets time pass. */
  advance(now: number): void {
    if (this.#state === 'over') return
    if (now >= this.#silentBy) this.#fail('the other end has fallen silent')
    else if (now >= this.#lingerBy) this.reset()
    else this.#outgoing.advance(now)
  }

  /** The next datagram that is to be sent now; null when there is none. */
  transmit(now: number): Uint8Array | null {
    const packet = this.#next(now)
    if (packet === null) return null
    this.#lastSent = now
    return encodePacket(packet)
  }

  #next(now: number): DatagramPacket | null {
    const id = this.#peerId
    if (this.#resetIsDue) {
      this.#resetIsDue = false
      return { kind: 'reset', id }
    }
    if (this.#state === 'over') return null
    if (this.#state === 'opening') {
      if (now < this.#openAt) return null
      this.#openAt = now + OPEN_INTERVAL
      return { kind: 'open', id: this.#ownId, token: this.#token, limit: RECEIVE_WINDOW }
    }
    if (this.#acceptIsDue) {
      this.#acceptIsDue = false
      return { kind: 'accept', id, ownId: this.#ownId, limit: RECEIVE_WINDOW }
    }
    if (this.#lingerBy !== Infinity) while (this.read(now) !== null);
    if (now >= this.#incoming.deadline) return { kind: 'acknowledgement', id, ...this.#incoming.report() }
    // Only now, when the last acknowledgement is on its way.
    if (this.#incoming.isOver && this.#outgoing.isDone) {
      this.#state = 'over'
      return null
    }
    if (this.#questionIsDue || now >= this.#lastSent + KEEP_ALIVE) {
      this.#questionIsDue = false
      return this.#dataPacket(this.#outgoing.question())
    }
    const next = this.#outgoing.next(now)
    return next && this.#dataPacket(next)
  }

  #dataPacket({ number, segment: { from, bytes, isLast } }: Outbound): DatagramPacket {
    return { kind: isLast ? 'end' : 'data', id: this.#peerId, number, position: from, bytes }
  }

  #take(now: number, packet: Exclude<DatagramPacket, OpenPacket>): void {
    switch (packet.kind) {
      case 'accept': this.#establish(packet.ownId, packet.limit); break
      case 'acknowledgement': this.#acknowledge(now, packet); break
      case 'reset': this.#fail('it was reset by the other end'); break
      default:
        if (this.#incoming.take(now, packet)) break
        this.reset()
        this.#trouble = 'the other end contradicts itself about where its stream ends'
    }
  }

  #acknowledge(now: number, packet: DatagramPacket & { readonly kind: 'acknowledgement' }): void {
    const before = this.held
    this.#outgoing.acknowledge(now, packet)
    if (this.held < before && this.#lingerBy !== Infinity) this.#lingerBy = now + LINGER
  }

  #establish(peerId: string, limit: number): void {
    this.#peerId = peerId
    this.#outgoing.allow(limit)
    this.#state = 'open'
  }

  #fail(trouble: string): void {
    this.#state = 'over'
    this.#trouble = trouble
  }
}
