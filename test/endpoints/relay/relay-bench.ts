// A relay server on loopback, and acceptors and issuers for it; all ends with the test.
import { openSession, requestRelayed, startRelayAcceptor, startRelayServer } from '../../../endpoints/index.js'
import type { Acceptor, Connection, RelayAcceptorOptions, RelayServer, RelayServerOptions, RelayedRequestOptions, Session, SessionOptions } from '../../../endpoints/index.js'
import { EventLog, LOOPBACK, NEAR, SHORT } from '../bench.js'

interface Test { teardown(end: () => unknown): void }

export interface Accepted { readonly acceptor: Acceptor, readonly log: EventLog, readonly connections: Connection[] }

export class RelayBench {
  private constructor(readonly server: RelayServer, readonly log: EventLog, private readonly test: Test) {}

  static async start(test: Test, options: RelayServerOptions = {}): Promise<RelayBench> {
    const log = new EventLog()
    const { timeouts, ...rest } = options
    const server = await startRelayServer({ address: LOOPBACK, udpPort: 0, issuerPort: 0, acceptorPort: 0, timeouts: { ...SHORT, ...timeouts }, onEvent: log.onEvent, ...rest })
    test.teardown(() => server.close())
    return new RelayBench(server, log, test)
  }

  /** Starts an acceptor and waits until it is registered. Its connections are kept, and become sessions when `session` is given. */
  async accept(equipmentId: string, options: Partial<RelayAcceptorOptions> = {}, session?: SessionOptions): Promise<Accepted> {
    const log = new EventLog(), connections: Connection[] = []
    const acceptor = await startRelayAcceptor({
      equipmentId, server: { address: LOOPBACK, udpPort: this.server.registrations.port, port: this.server.acceptors?.port ?? 0 }, address: LOOPBACK,
      interval: 60, policy: NEAR, timeouts: SHORT, onEvent: log.onEvent,
      onConnection: connection => {
        connections.push(connection)
        if (session) openSession(connection, { stall: SHORT.stall, onEvent: log.onEvent, ...session })
      }, ...options,
    })
    this.test.teardown(() => acceptor.close())
    while (!this.server.list().some(row => row.equipmentId === equipmentId)) await this.log.until('registered', this.log.of('registered').length + 1)
    return { acceptor, log, connections }
  }

  request(equipmentId: string, options: Partial<RelayedRequestOptions> = {}): Promise<Connection> {
    return requestRelayed({ equipmentId, server: { address: LOOPBACK, port: this.server.issuers.port }, timeouts: SHORT, ...options })
  }

  async session(equipmentId: string, options: Partial<RelayedRequestOptions> = {}, session: SessionOptions = {}): Promise<Session> {
    return openSession(await this.request(equipmentId, options), { stall: SHORT.stall, ...session })
  }

  /** Shows that the server still serves: a whole session through it, with an orderly end. */
  async serves(equipmentId = 'good'): Promise<boolean> {
    const { acceptor, log } = await this.accept(equipmentId, {}, {})
    const session = await this.session(equipmentId)
    await session.sendCommand('still there?')
    const { text } = await log.until('command-received')
    const { outcome } = await session.close()
    await acceptor.close()
    return text === 'still there?' && outcome === 'goodbye'
  }
}
