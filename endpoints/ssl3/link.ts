// One end of an SSL 3.0 connection below its handshake: records, alerts and handshake messages over the bytes of a socket.
//
// What is written in the handshake waits until something is awaited, so that a flight of messages leaves in one piece.
import { deadlineOf, type ByteStream, type ReadOutcome, type WriteOutcome } from '../channel/byte-stream.js'
import { ALERTS, ALERT_LEVEL, Ssl3Error, alertText, type AlertName } from './fault.js'
import { HandshakeReader, encodeHandshake, handshakeText, type HandshakeMessage, type HandshakeName } from './handshake.js'
import { Transcript, type DirectionKeys } from './key-derivation.js'
import { RECORD, RecordReader, RecordWriter, type SslRecord } from './records.js'
import type { Suite } from './suites.js'

/** How long the other end may take to hear why it ended, milliseconds. */
const LINGER = 1000

export class Link {
  readonly transcript = new Transcript()
  readonly #reader = new RecordReader()
  readonly #writer = new RecordWriter()
  readonly #messages = new HandshakeReader()
  #waiting: Buffer[] = []

  /** @param deadline of the handshake, as of `deadlineOf` */
  constructor(private readonly stream: ByteStream, private readonly deadline: number) {}

  // --- the handshake ------------------------------------------------------------------------------------------------

  /** Puts a message behind those that wait to be sent. */
  write(name: HandshakeName, body: Uint8Array): void {
    const message = encodeHandshake(name, body)
    this.transcript.add(message)
    this.#waiting.push(this.#writer.encode(RECORD.handshake, message))
  }

  /** Puts the change to these keys behind the messages that wait. */
  writeChange(suite: Suite, keys: DirectionKeys): void {
    this.#waiting.push(this.#writer.encode(RECORD.changeCipherSpec, CHANGE))
    this.#writer.protect(suite, keys)
  }

  /** Sends what waits. @throws Ssl3Error */
  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#check(await this.stream.write(bytes, this.deadline))
  }

  /** The body of the next message, which must be this one. @throws Ssl3Error */
  async read(name: HandshakeName): Promise<Buffer> {
    await this.flush()
    for (;;) {
      const message = this.#messages.next()
      if (message !== null) return this.#accept(message, name)
      this.#messages.push(await this.#readHandshake(RECORD.handshake, handshakeText(name)))
    }
  }

  /** Waits until the other end changes to these keys. @throws Ssl3Error */
  async readChange(suite: Suite, keys: DirectionKeys): Promise<void> {
    await this.flush()
    const content = await this.#readHandshake(RECORD.changeCipherSpec, 'change of the cipher')
    if (!CHANGE.equals(content)) throw new Ssl3Error('illegalParameter', `the other end sent a change of the cipher that is ${content.toString('hex')}, not 01`)
    // Otherwise half a message in the clear could be ended under the keys.
    if (this.#messages.held > 0) throw new Ssl3Error('unexpectedMessage', 'the other end changed the cipher within a message')
    this.#reader.protect(suite, keys)
  }

  /** The hellos have agreed on SSL 3.0. */
  agreeVersion(): void { this.#reader.agreeVersion() }

  /** The handshake is done. @throws Ssl3Error when more handshake follows */
  finish(): void {
    if (this.#messages.held > 0) throw new Ssl3Error('unexpectedMessage', 'the other end sent more handshake messages behind finished')
  }

  #accept({ name, body, bytes }: HandshakeMessage, expected: HandshakeName): Buffer {
    if (name !== expected) throw new Ssl3Error('unexpectedMessage', `the other end sent ${handshakeText(name)} where ${handshakeText(expected)} is due`)
    this.transcript.add(bytes)
    return body
  }

  async #readHandshake(type: typeof RECORD.handshake | typeof RECORD.changeCipherSpec, expected: string): Promise<Buffer> {
    const record = await this.readRecord(this.deadline)
    if (record === null) throw new Ssl3Error(null, `the other end closed the connection before its ${expected}`, 'closed')
    if (record.type !== type) throw new Ssl3Error('unexpectedMessage', `the other end sent a record of type ${record.type} where its ${expected} is due`)
    return record.content
  }

  // --- what every stage needs ---------------------------------------------------------------------------------------

  /** The next record that is no alert; null when the other end sends no more (close_notify). @throws Ssl3Error */
  async readRecord(deadline = Infinity): Promise<SslRecord | null> {
    for (;;) {
      const record = this.#reader.next()
      if (record === null) this.#reader.push(this.#check(await this.stream.read(deadline)))
      else if (record.type !== RECORD.alert) return record
      else if (isClosing(record.content)) return null
      // Whoever sends without end, if only warnings, does not make it last any longer.
      if (performance.now() > deadline) this.#check('late')
    }
  }

  /** Sends application data. Resolves when there is room for more. @throws Ssl3Error */
  async send(bytes: Uint8Array): Promise<void> { this.#check(await this.stream.write(this.#writer.encode(RECORD.applicationData, bytes))) }

  /** Ends this direction; reading goes on. @throws Ssl3Error */
  async close(): Promise<void> {
    this.#check(await this.stream.write(this.#alert('closeNotify')))
    this.#check(await this.stream.end())
  }

  /** Tells the other end why it is over, where it can be told, gives it a moment to read that, and frees the socket. Never rejects. */
  async abort(alert: AlertName | null): Promise<void> {
    if (alert !== null) {
      const deadline = deadlineOf(LINGER)
      await this.stream.write(this.#alert(alert), deadline)
      void this.stream.end(deadline)
      await this.stream.drain(deadline)
    }
    this.stream.destroy()
  }

  /** Calls when the connection is lost; not when it ends in order. */
  onGone(listener: () => void): void { this.stream.onGone(listener) }

  /** Ends the connection at once. */
  destroy(): void { this.stream.destroy() }

  #alert(name: AlertName): Buffer {
    return this.#writer.encode(RECORD.alert, Buffer.of(name === 'closeNotify' ? ALERT_LEVEL.warning : ALERT_LEVEL.fatal, ALERTS[name]))
  }

  #check(outcome: ReadOutcome | WriteOutcome): Uint8Array {
    switch (outcome) {
      case 'taken': return NOTHING
      case 'late': throw new Ssl3Error(null, 'the other end did not do its part in time', 'timed-out')
      case 'ended': throw new Ssl3Error(null, this.#endedWithin(), 'lost')
      case 'lost': throw new Ssl3Error(null, `the connection was lost${this.stream.trouble ? ` (${this.stream.trouble})` : ''}`, 'lost')
      default: return outcome
    }
  }

  /** Without close_notify anybody on the way could have ended it. */
  #endedWithin(): string {
    const { held } = this.#reader
    return `the connection ended ${held > 0 ? `after ${held} bytes of a record` : 'without close_notify'}: what came may be cut short`
  }
}

const CHANGE = Buffer.of(1)
/** With these a client does not accept the server's certificate. */
const REFUSALS: ReadonlySet<number> = new Set([ALERTS.badCertificate, ALERTS.unsupportedCertificate, ALERTS.certificateRevoked, ALERTS.certificateExpired, ALERTS.certificateUnknown])
const NOTHING = new Uint8Array(0)

/** True for close_notify, false for a warning, which changes nothing. @throws Ssl3Error for the other end's own error */
function isClosing(alert: Buffer): boolean {
  if (alert.length !== 2) throw new Ssl3Error('illegalParameter', `the other end sent an alert of ${alert.length} bytes, not 2`)
  const [level, code] = alert
  if (code === ALERTS.closeNotify) return true
  if (level === ALERT_LEVEL.warning) return false
  throw new Ssl3Error(null, `the other end ended the connection (${alertText(code)})`, REFUSALS.has(code) ? 'refused' : 'lost')
}
