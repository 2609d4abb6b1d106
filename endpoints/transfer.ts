// S209: what runs on a connection between issuer and acceptor, direct or relayed, both ways at once and without the server: lines of text, and files one after
// another in each direction, each answered with a receipt that holds the receiver's own hash.
//
// An end that has nothing more to say sends a goodbye; the other answers with its own when what it is sending is finished.
// Receipts still travel in between. With both goodbyes said the connection is closed; any other end is a loss.
import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { EndpointError, messageOf, systemCode } from './errors.js'
import { TIMEOUTS } from './defaults.js'
import { FIELDS, labelOf } from './message/index.js'
import { ChannelError } from './channel/channel.js'
import { emitter, wallClock } from './events.js'
import { FileReceiver, FileRefused, HashDiffers } from './receive-file.js'
import { Deferred, within } from './waiting.js'
import type { FileHandle } from 'node:fs/promises'
import type { Channel } from './channel/channel.js'
import type { Connection } from './connection.js'
import type { Clock, Emit, OnEvent } from './events.js'
import type { Message, MessageName, MessageOf } from './message/index.js'
import type { ReceiveOptions } from './receive-file.js'

export interface SessionOptions {
  /** Where files of the other end go; without it they are refused. */
  readonly receive?: ReceiveOptions | undefined
  /** Milliseconds without progress while a file is under way or the end is awaited. */
  readonly stall?: number
  readonly onEvent?: OnEvent
  readonly clock?: Clock
}

export interface SentFile { readonly name: string, readonly bytes: number, readonly sha256: string }

export interface SessionEnd { readonly outcome: 'goodbye' | 'lost', readonly message: string }

export interface Session {
  /** @throws EndpointError when the session is over, EncodeError when the line is too long or holds a line feed */
  sendLine(text: string): Promise<void>
  /** As `sendLine`, for a command signal (38). */
  sendCommand(text: string): Promise<void>
  /**
   * Resolves when the receiver has the file whole, with the same hash. Files wait for each other.
   * @throws EndpointError when it cannot be read, is refused, or the connection is lost
   */
  sendFile(path: string): Promise<SentFile>
  /** Says goodbye after what is being sent, and waits for the end. Never rejects. */
  close(): Promise<SessionEnd>
  /** Settles when the session is over, however it ended. */
  readonly ended: Promise<SessionEnd>
}

export const openSession = (connection: Connection, options: SessionOptions = {}): Session => new DirectSession(connection, options)

const IN_SESSION = ['line', 'command', 'fileStart', 'fileData', 'fileEnd', 'fileReceipt', 'goodbye'] as const satisfies MessageName[]
/** After its goodbye an end only acknowledges. */
const AFTER_GOODBYE = ['fileReceipt'] as const satisfies MessageName[]

class DirectSession implements Session {
  readonly ended: Promise<SessionEnd>
  readonly #channel: Channel
  readonly #receive: ReceiveOptions | undefined
  readonly #stall: number
  readonly #emit: Emit
  readonly #end = new Deferred<SessionEnd>()
  /** The file that comes in; 'unwanted' while the rest of a refused one is skipped. */
  #incoming: FileReceiver | 'unwanted' | null = null
  /** Of the file that goes out. */
  #receipt: Deferred<MessageOf<'fileReceipt'>> | null = null
  #outgoing: Promise<unknown> = Promise.resolve()
  #closing = false
  #saidGoodbye = false
  #heardGoodbye = false
  #received = 0

  constructor({ channel, apparatus }: Connection, options: SessionOptions) {
    this.ended = this.#end.promise
    this.#channel = channel
    this.#receive = options.receive
    this.#stall = options.stall ?? TIMEOUTS.stall
    this.#emit = emitter(apparatus, options.onEvent, options.clock ?? wallClock)
    void this.#read()
  }

  async sendLine(text: string): Promise<void> {
    this.#checkOpen()
    await this.#send({ name: 'line', text })
  }

  async sendCommand(text: string): Promise<void> {
    this.#checkOpen()
    await this.#send({ name: 'command', text })
  }

  async sendFile(path: string): Promise<SentFile> {
    this.#checkOpen()
    const sent = this.#outgoing.then(() => this.#sendNext(path))
    this.#outgoing = sent.catch(() => undefined) // the caller hears of it; the next file goes out all the same
    return await sent
  }

  async close(): Promise<SessionEnd> {
    if (!this.#closing) {
      this.#closing = true
      await this.#outgoing
      await this.#sayGoodbye()
    }
    return await this.ended
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#end.settled) return
    this.#saidGoodbye = true
    try {
      await this.#channel.send({ name: 'goodbye' }, this.#stall)
    } catch (error) {
      this.#lose(messageOf(error))
    }
    // The other end may still be sending a file, so only silence is a fault.
    let before: number
    do {
      before = this.#received
      if (await within(this.ended, this.#stall)) return
    } while (before !== this.#received)
    this.#lose(`the other end did not say goodbye within ${this.#stall} ms`)
  }

  #checkOpen(): void {
    if (this.#closing || this.#end.settled) throw new EndpointError('connection-lost', 'the session is over; nothing more can be sent', '')
  }

  /** Only the first end counts. */
  #finish(end: SessionEnd): void {
    if (this.#end.settled) return
    this.#end.resolve(end)
    this.#emit({ event: 'session-ended', ...end })
  }

  #lose(message: string): void {
    if (this.#end.settled) return
    this.#channel.reset()
    this.#finish({ outcome: 'lost', message })
  }

  /** Turns a fault of the channel into the end of the session. */
  async #send(message: Message): Promise<void> {
    try {
      await this.#channel.send(message, this.#stall)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      this.#lose(error.message)
      throw new EndpointError('connection-lost', `the other end is gone: ${error.message}`, 'make a new request', { cause: error })
    }
  }

  // --- sending a file -----------------------------------------------------------------------------------------------

  async #sendNext(path: string): Promise<SentFile> {
    let file: FileHandle | null = null
    try {
      // Looked at before it is opened, since opening a pipe would wait for a writer.
      const { size } = await regularFile(path)
      file = await open(path, 'r')
      return await this.#sendOpen(file, basename(path), size)
    } catch (error) {
      throw error instanceof EndpointError ? error : unreadable(path, systemCode(error) || messageOf(error))
    } finally {
      this.#receipt = null
      await file?.close()
    }
  }

  async #sendOpen(file: FileHandle, name: string, size: number): Promise<SentFile> {
    const receipt = this.#receipt = new Deferred<MessageOf<'fileReceipt'>>()
    await this.#send({ name: 'fileStart', fileName: name, size })
    const sent = await this.#sendData(file, size, receipt)
    await this.#send({ name: 'fileEnd', ...(sent.bytes === size ? { sha256: sent.sha256 } : {}) })
    const answer = await within(Promise.race([receipt.promise, this.ended]), this.#stall)
    if (!answer) throw new EndpointError('no-answer', `no receipt for ${name} came within ${this.#stall} ms`, 'send it again')
    if ('outcome' in answer) throw new EndpointError('connection-lost', `the connection ended before the receipt for ${name}: ${answer.message}`, 'send it again')
    if (sent.error !== null) throw unreadable(name, sent.error)
    if (!answer.ok || answer.sha256 !== sent.sha256) {
      throw new EndpointError('file-refused', `the other end did not take ${name}: ${answer.sentence ?? 'its SHA-256 differs'}`, 'mend that and send it again')
    }
    this.#emit({ event: 'file-sent', name, bytes: sent.bytes, sha256: sent.sha256 })
    return { name, bytes: sent.bytes, sha256: sent.sha256 }
  }

  /** Stops early at a fault of the file, and at a receipt, which before the end is a refusal. */
  async #sendData(file: FileHandle, size: number, receipt: { readonly settled: boolean }): Promise<{ bytes: number, sha256: string, error: string | null }> {
    const hash = createHash('sha256')
    let bytes = 0, error: string | null = null
    while (bytes < size && error === null && !receipt.settled) {
      const length = Math.min(FIELDS.data.max, size - bytes)
      const { data, fault } = await readChunk(file, length)
      error = fault
      if (fault !== null) break
      hash.update(data)
      bytes += data.length
      await this.#send({ name: 'fileData', data })
    }
    return { bytes, sha256: hash.digest('hex'), error }
  }

  // --- the reader ---------------------------------------------------------------------------------------------------

  async #read(): Promise<void> {
    try {
      while (!this.#saidGoodbye || !this.#heardGoodbye) {
        const accepts: readonly (typeof IN_SESSION[number])[] = this.#heardGoodbye ? AFTER_GOODBYE : IN_SESSION
        await this.#take(await this.#channel.receive(accepts, this.#incoming ? this.#stall : undefined))
        this.#received++
      }
      await this.#channel.close()
      this.#finish(GOODBYE)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      if (this.#incoming instanceof FileReceiver) await this.#incoming.discard()
      if (error.fault === 'closed' && this.#saidGoodbye && this.#heardGoodbye) {
        await this.#channel.close()
        this.#finish(GOODBYE)
      } else {
        this.#lose(error.message)
      }
    }
  }

  async #take(message: MessageOf<typeof IN_SESSION[number]>): Promise<void> {
    switch (message.name) {
      case 'line': this.#emit({ event: 'line-received', text: message.text }); break
      case 'command': this.#emit({ event: 'command-received', text: message.text }); break
      case 'fileReceipt':
        if (!this.#receipt || this.#receipt.settled) throw new ChannelError('malformed', 'a file receipt came that belongs to no file')
        this.#receipt.resolve(message)
        break
      case 'goodbye':
        if (this.#incoming) throw new ChannelError('malformed', 'the other end said goodbye within a file')
        this.#heardGoodbye = true
        void this.close()
        break
      default:
        if ((message.name === 'fileStart') === (this.#incoming !== null)) throw new ChannelError('malformed', `${labelOf(message.name)} came out of order`)
        await this.#takeFile(message)
    }
  }

  async #takeFile(message: MessageOf<'fileStart' | 'fileData' | 'fileEnd'>): Promise<void> {
    const incoming = this.#incoming
    try {
      if (message.name === 'fileStart') {
        this.#incoming = 'unwanted'
        if (!this.#receive) throw new FileRefused('no files are taken here')
        this.#incoming = await FileReceiver.begin(message.fileName, message.size, this.#receive)
      } else if (message.name === 'fileData') {
        if (incoming instanceof FileReceiver) await incoming.add(message.data)
      } else {
        this.#incoming = null
        if (!(incoming instanceof FileReceiver)) return
        const file = await incoming.end(message.sha256)
        this.#emit({ event: 'file-received', ...file })
        this.#sendReceipt({ name: 'fileReceipt', ok: true, sha256: file.sha256 })
      }
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error
      if (message.name === 'fileData' && incoming instanceof FileReceiver) {
        this.#incoming = 'unwanted'
        await incoming.discard()
      }
      this.#emit({ event: 'error', reason: 'file-refused', message: error.message })
      this.#sendReceipt({ name: 'fileReceipt', ok: false, ...(error instanceof HashDiffers ? { sha256: error.sha256 } : {}), sentence: error.message })
    }
  }

  /**
   * Not awaited: if both ends send and neither has room left, a reader that waits for room would stop reading, and both
   * would wait forever. A receipt is small and there is one a file.
   */
  #sendReceipt(receipt: MessageOf<'fileReceipt'>): void {
    this.#send(receipt).catch(() => undefined) // the session has ended then, and says so
  }
}

const GOODBYE: SessionEnd = { outcome: 'goodbye', message: 'both ends said goodbye' }

async function regularFile(path: string): Promise<{ size: number }> {
  const found = await stat(path)
  if (!found.isFile()) throw unreadable(path, 'it is not a regular file')
  return found
}

const unreadable = (path: string, why: string): EndpointError =>
  new EndpointError('file-unreadable', `${path} cannot be sent: ${why}`, 'check the name, and that you may read the file')

async function readChunk(file: FileHandle, length: number): Promise<{ data: Uint8Array, fault: string | null }> {
  const data = new Uint8Array(length)
  try {
    const { bytesRead } = await file.read(data, 0, length)
    return { data: data.subarray(0, bytesRead), fault: bytesRead > 0 ? null : 'it became shorter while it was sent' }
  } catch (error) {
    return { data, fault: systemCode(error) || messageOf(error) }
  }
}
