// Messages out of a TCP stream, where one segment may hold half a message or several. What is held is bounded: a header
// that announces too much, or a message that has no place at this point, is refused before its body is waited for.
import { Defect, decode, readHeader } from './codec.js'
import type { MessageName, MessageOf } from './messages.js'

const NOTHING = new Uint8Array(0)

export class StreamDecoder {
  #held: Uint8Array = NOTHING
  #defect: Defect | null = null

  /** Adds bytes as they came. Take all messages with `next` before adding more, or what is held grows. */
  push(chunk: Uint8Array): void {
    if (this.#defect) return
    if (this.#held.length === 0) {
      this.#held = chunk
      return
    }
    const joined = new Uint8Array(this.#held.length + chunk.length)
    joined.set(this.#held)
    joined.set(chunk, this.#held.length)
    this.#held = joined
  }

  /** The next whole message, null while more bytes are needed, or a defect, after which the stream gives nothing but it. */
  next<N extends MessageName>(accepts: readonly N[]): MessageOf<N> | Defect | null {
    if (this.#defect) return this.#defect
    const head = readHeader(this.#held, accepts)
    if (head instanceof Defect) return head.kind === 'truncated' ? null : this.#fail(head)
    if (this.#held.length < head.length) return null
    const message = decode(this.#held.subarray(0, head.length))
    if (message instanceof Defect) return this.#fail(message)
    this.#held = this.#held.subarray(head.length)
    return message as MessageOf<N> // readHeader has checked the name against `accepts`
  }

  /** Bytes that came and are not yet part of a whole message. */
  get held(): number {
    return this.#held.length
  }

  /** Gives the bytes that are no whole message back, for whoever reads on without messages. */
  release(): Uint8Array {
    const held = this.#held
    this.#held = NOTHING
    return held
  }

  #fail(defect: Defect): Defect {
    this.#held = NOTHING
    this.#defect = defect
    return defect
  }
}
