// What the tests of the endpoints share: apparatuses on loopback with ports that the system chooses, short time-outs, and
// events that can be awaited.
import { once } from 'node:events'
import { connect } from 'node:net'
import { createSocket } from 'node:dgram'
import { openSession, requestConnection, startAcceptor, startServer } from '../../endpoints/index.js'
import type { AcceptorOptions, Connection, EndpointEvent, EventName, RendezvousServer, RequestOptions, ServerOptions, Session, SessionOptions } from '../../endpoints/index.js'
import type { Socket } from 'node:net'

export const LOOPBACK = '127.0.0.1'
export const SHORT = { message: 400, repeat: 60, notify: 300, report: 900, request: 2000, stall: 1000 }

type EventOf<N extends EventName> = Extract<EndpointEvent, { event: N }>

/** Keeps events, and lets a test await one. */
export class EventLog {
  readonly all: EndpointEvent[] = []
  #waiting: (() => void)[] = []

  readonly onEvent = (event: EndpointEvent): void => {
    this.all.push(event)
    this.wake()
  }

  of<N extends EventName>(name: N): EventOf<N>[] {
    return this.all.filter((event): event is EventOf<N> => event.event === name)
  }

  /** Until `count` events of that name have come; the test's own time-out is the limit. */
  async until<N extends EventName>(name: N, count = 1): Promise<EventOf<N>> {
    while (this.of(name).length < count) await new Promise<void>(resolve => this.#waiting.push(resolve))
    return this.of(name)[count - 1]
  }

  /** Lets `untilSome` look again. */
  wake(): void { for (const wake of this.#waiting.splice(0)) wake() }

  /** An entry of a list that something else fills, which then calls `wake`. */
  async untilSome<T>(list: readonly T[], at = 0): Promise<T> {
    while (list.length <= at) await new Promise<void>(resolve => this.#waiting.push(resolve))
    return list[at]
  }

  steps(): string[] {
    return this.all.flatMap(event => 'step' in event ? [`${event.apparatus} ${event.step}`] : [])
  }
}

/** Lets an acceptor of a test connect to an issuer on the same machine. */
export const NEAR = { allow: [`${LOOPBACK}/32`] }

interface Test { teardown(end: () => unknown): void }

/** A server, and what is needed to give it acceptors and requests; all ends with the test. */
export class Bench {
  readonly log = new EventLog()
  readonly sessions: Session[] = []
  readonly #test: Test

  private constructor(test: Test, readonly server: RendezvousServer, log: EventLog) {
    this.#test = test
    this.log = log
  }

  static async start(test: Test, options: ServerOptions = {}): Promise<Bench> {
    const log = new EventLog()
    const { timeouts, ...rest } = options
    const server = await startServer({
      address: LOOPBACK, udpPort: 0, issuerPort: 0, acceptorPort: 0, timeouts: { ...SHORT, ...timeouts }, onEvent: log.onEvent, ...rest,
    })
    test.teardown(() => server.close())
    return new Bench(test, server, log)
  }

  /** Starts an acceptor and waits until it is registered. Its connections become sessions. */
  async accept(equipmentId: string, options: Partial<AcceptorOptions> = {}, session: SessionOptions = {}): Promise<EventLog> {
    const log = new EventLog()
    const onConnection = (connection: Connection) =>
      void this.sessions.push(openSession(connection, { stall: SHORT.stall, onEvent: log.onEvent, ...session }))
    const { udp, tcp } = this.ports()
    const level = options.level ?? 3
    const acceptor = await startAcceptor({
      equipmentId, server: { address: LOOPBACK, udpPort: udp, port: tcp }, address: LOOPBACK, interval: 60, timeouts: SHORT,
      policy: NEAR, onConnection, onEvent: log.onEvent, ...(level === 3 ? { level, password: 'secret' } : { level }), ...options,
    } as AcceptorOptions)
    this.#test.teardown(() => acceptor.close())
    while (!this.server.list().some(row => row.equipmentId === equipmentId)) await this.log.until('registered', this.log.of('registered').length + 1)
    return log
  }

  request(equipmentId: string, options: Partial<RequestOptions> = {}): Promise<Connection> {
    return requestConnection({
      equipmentId, password: 'secret', server: { address: LOOPBACK, port: this.server.issuers.port },
      listen: { address: LOOPBACK }, timeouts: SHORT, ...options,
    })
  }

  /** Shows that the server still serves: a whole request, one line across, and an orderly end. */
  async serves(equipmentId = 'good', options: Partial<RequestOptions> = {}, acceptor: Partial<AcceptorOptions> = {}): Promise<boolean> {
    const log = await this.accept(equipmentId, acceptor)
    const session = openSession(await this.request(equipmentId, options), { stall: SHORT.stall })
    await session.sendLine('still there?')
    const line = await log.until('line-received')
    const end = await session.close()
    return line.text === 'still there?' && end.outcome === 'goodbye'
  }

  ports(): { udp: number, issuers: number, tcp: number } {
    return { udp: this.server.registrations.port, issuers: this.server.issuers.port, tcp: this.server.acceptors?.port ?? 0 }
  }
}

/** A bare TCP connection. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: LOOPBACK, port, allowHalfOpen: true })
  await once(socket, 'connect')
  socket.on('error', () => undefined) // being reset is what some tests want; `ended` tells
  return socket
}

/** Everything that still comes, until the other end has closed or reset the connection. */
export async function drain(socket: Socket): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('end', () => socket.end())
  if (!socket.closed) await once(socket, 'close').catch(() => undefined)
  return Buffer.concat(chunks)
}

/** Sends datagrams from one socket of its own. */
export async function datagrams(port: number, payloads: readonly Uint8Array[]): Promise<number> {
  const socket = createSocket('udp4')
  try {
    socket.bind({ address: LOOPBACK, port: 0 })
    await once(socket, 'listening')
    const from = socket.address().port
    for (const payload of payloads) await new Promise<void>(resolve => socket.send(payload, port, LOOPBACK, () => resolve()))
    return from
  } finally {
    socket.close()
  }
}

/** A repeatable source of numbers below 2^32 (xorshift32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>>= 0
  }
}

/** The error of a promise that has to fail. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('this should have failed')
}
