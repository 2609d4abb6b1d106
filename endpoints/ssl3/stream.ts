// The plaintext of a connection whose handshake is done, as a Duplex. Each direction ends by itself, with close_notify; nothing is
// read from the socket while nobody reads here, so that TCP's window holds back a peer that sends faster than it is listened to.
import { Duplex } from 'node:stream'
import { Ssl3Error } from './fault.js'
import { RECORD } from './records.js'
import type { Link } from './link.js'

export class Ssl3Stream extends Duplex {
  constructor(private readonly link: Link) {
    super({ allowHalfOpen: true })
    link.onGone(() => this.destroy(new Ssl3Error(null, 'the connection was lost', 'lost')))
  }

  override _read(): void {
    void this.#settle(this.#pull())
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#settle(this.link.send(chunk), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    void this.#settle(this.link.close(), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error instanceof Ssl3Error) void this.link.abort(error.alert)
    else this.link.destroy()
    done(error)
  }

  /** Gives on what the next record holds. */
  async #pull(): Promise<void> {
    for (;;) {
      const record = await this.link.readRecord()
      if (record !== null && record.type !== RECORD.applicationData) {
        throw new Ssl3Error('unexpectedMessage', `the other end sent a record of type ${record.type} after the handshake; it is not done again here`)
      }
      if (record?.content.length === 0) continue // some send empty records before others, against an attack on CBC
      this.push(record?.content ?? null)
      return
    }
  }

  async #settle(work: Promise<void>, done?: () => void): Promise<void> {
    try {
      await work
      done?.()
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
