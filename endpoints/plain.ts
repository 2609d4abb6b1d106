// The plainest of network programs, by UDP or TCP: one asks, the other responds (Fig. 11). What NAPT does is all there is to see.
import { once } from 'node:events'
import { EndpointError } from './errors.js'
import { ByteStream, deadlineOf } from './channel/byte-stream.js'
import { TIMEOUTS } from './defaults.js'
import { emitter, wallClock } from './events.js'
import { addressOf, bindUdp, closeUdp, connectTcp, connectUdp, listenTcp, stopListening } from './sockets.js'
import { within } from './waiting.js'
import { formatPeer } from './peer.js'
import type { Socket } from 'node:net'
import type { Apparatus, OnEvent } from './events.js'
import type { Local, Peer } from './peer.js'

export type Transport = 'udp' | 'tcp'

/** Bytes of a question or response; what is longer is cut. */
const MAX_TEXT = 512
const MAX_CALLERS = 16

export interface ResponderOptions {
  readonly apparatus: Apparatus
  readonly at: Local
  readonly onEvent?: OnEvent
}

/**
 * Responds to every question, by UDP and by TCP at the same port.
 * @returns how to end it
 * @throws EndpointError when the port cannot be bound
 */
export async function startResponder({ apparatus, at, onEvent }: ResponderOptions): Promise<{ close(): Promise<void> }> {
  const emit = emitter(apparatus, onEvent, wallClock)
  const udp = await bindUdp('UDP port for questions', at)
  const tcp = await listenTcp('TCP port for questions', { ...at, port: addressOf(udp).port }, MAX_CALLERS)
  const respond = (question: Uint8Array, from: Peer): string => {
    const text = `heard: ${textOf(question)}`
    emit({ event: 'responded', step: 'S24', text, ...from })
    return text
  }
  udp.on('message', (bytes, { address, port }) => udp.send(respond(bytes, { address, port }), port, address, () => undefined))
  udp.on('error', ({ message }) => emit({ event: 'error', reason: 'send-failed', message }))
  const open = new Set<Socket>()
  tcp.on('connection', socket => {
    open.add(socket.once('close', () => open.delete(socket)))
    void respondByTcp(new ByteStream(socket), respond)
  })
  emit({ event: 'listening', transport: 'udp', purpose: 'questions', ...addressOf(udp) })
  emit({ event: 'listening', transport: 'tcp', purpose: 'questions', ...addressOf(tcp) })
  return {
    close: async () => {
      const stopping = stopListening(tcp)
      for (const socket of open) socket.resetAndDestroy()
      await Promise.all([stopping, closeUdp(udp)])
    },
  }
}

/** The end that asks closes first. However long it takes: that a mapping stays for as long may be what is looked at. */
async function respondByTcp(stream: ByteStream, respond: (question: Uint8Array, from: Peer) => string): Promise<void> {
  const question = await stream.read(deadlineOf(TIMEOUTS.message))
  if (question instanceof Uint8Array) await stream.write(Buffer.from(respond(question, stream.peer)), deadlineOf(TIMEOUTS.message))
  else stream.reset()
  await stream.drain(Infinity)
  await stream.end(deadlineOf(TIMEOUTS.message))
}

export interface AskOptions {
  readonly apparatus: Apparatus
  readonly transport: Transport
  readonly from?: Local
  readonly to: Peer
  readonly text: string
  /** Milliseconds for the whole of it. */
  readonly within?: number
  /** The connection, or the socket, stays open until this is resolved. */
  readonly until?: Promise<unknown>
  readonly onEvent?: OnEvent
}

/** Asks once. @returns the response. @throws EndpointError when none comes */
export async function ask(options: AskOptions): Promise<string> {
  const { apparatus, transport, to, text, within: limit = TIMEOUTS.message, until, onEvent } = options
  const emit = emitter(apparatus, onEvent, wallClock)
  emit({ event: 'asked', text, ...to })
  const { response, end } = transport === 'udp' ? await askByUdp(options, limit) : await askByTcp(options, limit)
  try {
    if (response === null) throw new EndpointError('no-answer', `${formatPeer(to)} did not respond by ${transport.toUpperCase()}`, 'check that a responder runs there, and that a router on the way lets the question in')
    emit({ event: 'response-received', text: response, ...to })
    await until
    return response
  } finally {
    await end()
  }
}

interface Asked { readonly response: string | null, readonly end: () => Promise<void> }

async function askByUdp({ from = {}, to, text }: AskOptions, limit: number): Promise<Asked> {
  const udp = await bindUdp('UDP port to ask from', from)
  await connectUdp(udp, to, 'UDP')
  const response = (once(udp, 'message') as Promise<[Uint8Array]>).then(([bytes]) => textOf(bytes), () => null)
  udp.send(text)
  return { response: await within(response, limit), end: () => closeUdp(udp) }
}

async function askByTcp({ from = {}, to, text }: AskOptions, limit: number): Promise<Asked> {
  const stream = new ByteStream(await connectTcp('the question', { to, from, within: limit }))
  await stream.write(Buffer.from(text), deadlineOf(limit))
  const response = await stream.read(deadlineOf(limit))
  const end = async (): Promise<void> => {
    await stream.end(deadlineOf(limit))
    if (!await stream.drain(deadlineOf(limit))) stream.reset()
  }
  return { response: response instanceof Uint8Array ? textOf(response) : null, end }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, MAX_TEXT)).toString('utf8')
