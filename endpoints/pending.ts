// Requests that an issuer has made and whose outcome the server does not know yet. A request is known by its token: the
// issuer makes it, 217, 205 and 226 (34 and 36 in Fig. 13) carry it, and the acceptor greets with it. So requests for one acceptor that are under
// way at the same time are never mixed up, whatever order their connections come in.
import { Deferred } from './waiting.js'
import type { Verdict } from './answers.js'
import type { Channel } from './channel/channel.js'

/** What tells requests apart, and whom each is for. */
export interface RequestKey { readonly equipmentId: string, readonly token: string }

export class PendingRequest<Request extends RequestKey> {
  readonly request: Request
  /** The acceptor's connection to the server, or null when the request was cancelled first. */
  readonly second = new Deferred<Channel | null>()
  /** The acceptor's report at level 1, or null when the request was cancelled first. */
  readonly report = new Deferred<Verdict | null>()
  #channel: Channel | null = null
  #cancelled = false

  constructor(request: Request) {
    this.request = request
  }

  /** False when another connection has claimed this request, or when it is over. */
  claim(channel: Channel): boolean {
    if (this.#channel || this.#cancelled) return false
    this.#channel = channel
    this.second.resolve(channel)
    return true
  }

  /** The issuer has gone, or the server ends: nobody waits for the outcome any more. */
  cancel(): void {
    this.#cancelled = true
    this.#channel?.reset()
    this.second.resolve(null)
    this.report.resolve(null)
  }

  get cancelled(): boolean {
    return this.#cancelled
  }
}

export class PendingRequests<Request extends RequestKey> {
  readonly #byToken = new Map<string, PendingRequest<Request>>()
  readonly #maxPerEquipment: number

  constructor(maxPerEquipment: number) {
    this.#maxPerEquipment = maxPerEquipment
  }

  /** Null when too many requests for this equipment are under way, or when one has the same token. */
  add(request: Request): PendingRequest<Request> | null {
    const same = [...this.#byToken.values()].filter(({ request: { equipmentId } }) => equipmentId === request.equipmentId)
    if (same.length >= this.#maxPerEquipment || this.#byToken.has(request.token)) return null
    const pending = new PendingRequest(request)
    this.#byToken.set(request.token, pending)
    return pending
  }

  find(token: string): PendingRequest<Request> | undefined {
    return this.#byToken.get(token)
  }

  remove({ request }: PendingRequest<Request>): void {
    this.#byToken.delete(request.token)
  }

  cancelAll(): void {
    for (const pending of this.#byToken.values()) pending.cancel()
  }
}
