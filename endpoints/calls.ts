// An acceptor's calls: it connects to whom a request names, greets with the request's token, and has a connection with the issuer
// when the other end answers that it takes it. The other end is the issuer itself, or a server that relays.
//
// An address that somebody else names is called only if the acceptor's policy has nothing against it, which is looked up before
// any packet leaves; who named it is told no more than that.
import { messageOf } from './errors.js'
import { describe, verdictOf } from './answers.js'
import { formatPeer } from './peer.js'
import { connectDatagrams } from './datagram-stream/connect.js'
import { connectTcp } from './sockets.js'
import type { Verdict } from './answers.js'
import type { Channel, OpenChannel } from './channel/channel.js'
import type { Emit } from './events.js'
import type { Peer } from './peer.js'
import type { Transport } from './plain.js'

/** How a call ended; the channel leads to the issuer, if it came about. */
export interface Outcome { readonly verdict: Verdict, readonly channel: Channel | null }

export interface CallsOptions {
  readonly equipmentId: string
  /** Of this machine; any when absent. */
  readonly address?: string
  /** Milliseconds for each step of a call. */
  readonly within: number
  /** Gives up what is under way. */
  readonly signal: AbortSignal
  readonly emit: Emit
  /** Why an address that a request names is not called, or null. */
  readonly refusalOf: (address: string) => string | null
}

export class Calls {
  constructor(private readonly options: CallsOptions) {}

  /** To an address that a request names. Never rejects; the verdict may also be `address-refused`. */
  async callNamed(to: Peer, token: string, openChannel: OpenChannel, transport: Transport = 'tcp'): Promise<Outcome> {
    const why = this.options.refusalOf(to.address)
    if (why === null) return await this.call(to, token, openChannel, transport)
    const message = `no connection to ${formatPeer(to)}, which the request names: ${why}; if it is meant, allow it (--allow-to ${to.address})`
    this.options.emit({ event: 'error', reason: 'address-refused', message, ...to })
    return { verdict: { reason: 'address-refused', detail: '' }, channel: null }
  }

  /** Never rejects: a call that fails is told as an error, and has the verdict `issuer-unreachable`. */
  async call(to: Peer, token: string, openChannel: OpenChannel, transport: Transport = 'tcp'): Promise<Outcome> {
    const { equipmentId, address, within, signal, emit } = this.options
    emit({ event: 'connecting', equipmentId, transport, ...to })
    let channel: Channel | null = null
    const reset = (): void => channel?.reset()
    try {
      const options = { to, from: address === undefined ? {} : { address }, within, signal }
      const socket = transport === 'udp' ? await connectDatagrams('the connection', options, token) : await connectTcp('the connection', options)
      channel = await openChannel(socket, within)
      signal.addEventListener('abort', reset)
      await channel.send({ name: 'greeting', token }, within)
      const verdict = verdictOf(await channel.receive(['answer'], within))
      if (verdict.reason === 'accepted') return { verdict, channel }
      channel.reset()
      return this.#unreachable(to, `the other end did not take the connection: ${describe(verdict)}`)
    } catch (error) {
      reset()
      return this.#unreachable(to, `${formatPeer(to)}: ${messageOf(error)}`)
    } finally {
      signal.removeEventListener('abort', reset)
    }
  }

  #unreachable(to: Peer, detail: string): Outcome {
    this.options.emit({ event: 'error', reason: 'issuer-unreachable', message: detail, ...to })
    return { verdict: { reason: 'issuer-unreachable', detail }, channel: null }
  }
}
