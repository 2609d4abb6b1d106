// The other end of a router's control socket: what the CLI and the lab speak through.
import { createConnection, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { TraceRecord } from '../trace/trace.js'
import { eventToRecord, type FrameEvent } from './frame-event.js'
import type { ControlRequest, ControlResults } from './protocol.js'

/** The router refused a request, or is not there. The message is the router's own, or says where it was looked for. */
export class ControlError extends Error {}

interface Reply { readonly id: number, readonly ok: boolean, readonly result?: unknown, readonly error?: string }
interface Waiting { readonly resolve: (result: unknown) => void, readonly reject: (error: Error) => void }

export class RouterClient {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #missed = 0
  /** Resolves when the router has ended, or `close` was called. */
  readonly ended: Promise<void>
  #onRecord: ((record: TraceRecord) => void) | undefined
  #farewell = 'the router ended before it answered'

  private constructor(socket: Socket) {
    this.#socket = socket
    const lines = createInterface({ input: socket })
    // A readline interface repeats its input's errors, and throws where nobody hears them.
    lines.on('error', () => socket.destroy())
    lines.on('line', line => this.#onLine(line))
    socket.on('error', () => socket.destroy())
    this.ended = new Promise(resolve => socket.once('close', () => resolve()))
    void this.ended.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new ControlError(this.#farewell))
      this.#waiting.clear()
    })
  }

  /** @throws ControlError when no router listens at `path` */
  static async connect(path: string): Promise<RouterClient> {
    const socket = createConnection(path)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', error => reject(new ControlError(`no router answers at ${path} (${error.message}). Is it running?`)))
    })
    return new RouterClient(socket)
  }

  /** @throws ControlError with the router's own words when it refuses */
  async request<R extends ControlRequest>(request: R): Promise<ControlResults[R['op']]> {
    const id = this.#nextId++
    const result = await new Promise<unknown>((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new ControlError('the router has ended'))
        return
      }
      this.#waiting.set(id, { resolve, reject })
      this.#socket.write(`${JSON.stringify({ id, ...request })}\n`)
    })
    return result as ControlResults[R['op']]
  }

  /** Records of a trace that this end was too slow to take. */
  get missed(): number { return this.#missed }

  /** Every frame that the router processes from now on, or only those that it drops. */
  async trace(onRecord: (record: TraceRecord) => void, { drops = false }: { readonly drops?: boolean } = {}): Promise<void> {
    this.#onRecord = onRecord
    await this.request({ op: 'trace', drops })
  }

  close(): void { this.#socket.destroy() }

  #onLine(line: string): void {
    const message = parse(line)
    if (message === null) {
      this.#farewell = 'what listens there is no router: it answered in another language'
      this.#socket.destroy()
      return
    }
    if ('event' in message) {
      if (message.event === 'frame') this.#onRecord?.(eventToRecord(message))
      else this.#missed += message.frames
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.ok) waiting?.resolve(message.result)
    else waiting?.reject(new ControlError(message.error ?? 'the router refused'))
  }
}

type Message = Reply | FrameEvent | { readonly event: 'missed', readonly frames: number }

/** Null for a line that no router of this version says. */
function parse(line: string): Message | null {
  try {
    const message: unknown = JSON.parse(line)
    return typeof message === 'object' && message !== null && ('event' in message || 'ok' in message) ? message as Message : null
  } catch {
    return null
  }
}
