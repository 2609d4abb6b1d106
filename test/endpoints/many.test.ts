// Many at once: hundreds of acceptors registered, tens of issuers that connect at the same time, and no two mixed up. The acceptors
// wait for each other before they go on with a request, so that all requests are under way at one moment.
import { createHash } from 'node:crypto'
import t from 'tap'
import { openSession, plainChannel, requestConnection, secureClient, secureServer, startAcceptor, startServer } from '../../endpoints/index.js'
import { Deferred } from '../../endpoints/waiting.js'
import { EventLog, LOOPBACK, NEAR } from './bench.js'
import { authority } from './certificates.js'
import type { EndpointEvent, OpenChannel, RendezvousServer } from '../../endpoints/index.js'

const ACCEPTORS = 300, ISSUERS = 60
/** Of these, so many want the same acceptor. */
const CROWD = 8
/** Milliseconds between the registrations of that one: the server sends an address no more than came from it, and a crowd's 205 are many. */
const CROWDED = 50
/** Milliseconds; it takes about a tenth of that. */
const BOUND = 60_000
/** Nobody gives up while one has to wait for the slowest of all. */
const PATIENT = { message: BOUND, notify: BOUND, report: BOUND, request: BOUND }

/** How connections with the server are opened, at either end. */
interface Variant { readonly name: string, readonly server: OpenChannel, readonly client: OpenChannel }

const ca = await authority()
const TLS = { encryption: 'tls1.3' } as const
const VARIANTS: readonly Variant[] = [
  { name: 'in the clear', server: plainChannel, client: plainChannel },
  { name: 'under TLS', server: secureServer({ ...TLS, ...await ca.issue() }), client: secureClient({ ...TLS, ca: ca.ca, serverName: LOOPBACK }) },
]

const idOf = (n: number): string => `equipment ${n}`
/** The n-th equipment alone takes this password. */
const passwordOf = (n: number): string => createHash('sha256').update(`password of ${n}`).digest('hex')
/** What is said between the two of the i-th request, and by nobody else. */
const wordOf = (from: string, i: number, n: number): string => `${from}, request ${i} for ${idOf(n)}`
/** The equipment that the i-th issuer wants: each its own, but for a crowd. */
const wantedBy = (i: number): number => i < CROWD ? 0 : (i * 4) % ACCEPTORS

for (const variant of VARIANTS) {
  t.test(`${ACCEPTORS} acceptors and ${ISSUERS} issuers at once, ${variant.name}`, { timeout: BOUND }, async t => {
    const log = new EventLog()
    const server = await startServer({ address: LOOPBACK, udpPort: 0, issuerPort: 0, acceptorPort: 0, onEvent: log.onEvent, timeouts: PATIENT, openChannel: variant.server })
    t.teardown(() => server.close())
    const heard = new Map<number, string[]>()
    const opening = together(variant.client)
    const logs = await Promise.all(Array.from({ length: ACCEPTORS }, (_, n) => accept(t, server, n, opening, heard)))
    while (server.list().length < ACCEPTORS) await log.until('registered', log.of('registered').length + 1)
    t.equal(new Set(server.list().map(({ port }) => port)).size, ACCEPTORS, 'each at a port of its own')

    const answers = await Promise.all(Array.from({ length: ISSUERS }, (_, i) => talk(server, i, wantedBy(i), variant.client)))
    t.same(answers, answers.map((_, i) => wordOf('103', i, wantedBy(i))), 'each issuer was answered by the equipment that it asked for, and to what it said')
    for (let n = 0; n < ACCEPTORS; n++) {
      const meant = Array.from({ length: ISSUERS }, (_, i) => i).filter(i => wantedBy(i) === n).map(i => wordOf('102', i, n))
      if (!isSame(heard.get(n) ?? [], meant)) t.fail(`${idOf(n)} heard what was not meant for it`, { heard: heard.get(n), meant })
    }
    const outcomes = (events: readonly EndpointEvent[]): string[] => events.flatMap(event => event.event === 'password-checked' ? [event.outcome] : [])
    t.same(logs.flatMap(each => outcomes(each.all)), Array<string>(ISSUERS).fill('right'), 'no password went to another')
    await log.until('request-ended', ISSUERS)
    t.same(log.of('request-ended').map(({ outcome }) => outcome), Array<string>(ISSUERS).fill('accepted'))
    t.same(log.of('claimed'), [])
    t.equal(mostAtOnce(log.all), ISSUERS, 'all requests were under way at the same time')
  })
}

/** Starts the n-th acceptor. It answers a line `102, …` with `103, …`, and keeps it. */
async function accept(test: { teardown(end: () => unknown): void }, server: RendezvousServer, n: number, openChannel: OpenChannel, heard: Map<number, string[]>): Promise<EventLog> {
  const log = new EventLog()
  const acceptor = await startAcceptor({
    equipmentId: idOf(n), password: passwordOf(n), address: LOOPBACK, onEvent: log.onEvent, interval: n === 0 ? CROWDED : 1000, timeouts: PATIENT, openChannel, policy: NEAR,
    server: { address: LOOPBACK, udpPort: server.registrations.port, port: server.acceptors?.port ?? 0 },
    onConnection: connection => {
      const session = openSession(connection, {
        onEvent: event => {
          if (event.event !== 'line-received') return
          heard.set(n, [...heard.get(n) ?? [], event.text])
          void session.sendLine(event.text.replace('102', '103'))
        },
      })
    },
  })
  test.teardown(() => acceptor.close())
  return log
}

/** Says one line to equipment n and gives the answer. */
async function talk(server: RendezvousServer, i: number, n: number, openChannel: OpenChannel): Promise<string> {
  const log = new EventLog()
  const connection = await requestConnection({
    equipmentId: idOf(n), password: passwordOf(n), server: { address: LOOPBACK, port: server.issuers.port }, listen: { address: LOOPBACK }, timeouts: PATIENT, openChannel,
  })
  const session = openSession(connection, { onEvent: log.onEvent })
  await session.sendLine(wordOf('102', i, n))
  const { text } = await log.until('line-received')
  const { outcome } = await session.close()
  return outcome === 'goodbye' ? text : `${text}, but the session was lost`
}

/** Opens a second connection only when as many have come about as there are requests. */
function together(open: OpenChannel): OpenChannel {
  const all = new Deferred<null>()
  let connected = 0
  return async (socket, within) => {
    if (++connected === ISSUERS) all.resolve(null)
    await all.promise
    return await open(socket, within)
  }
}

/** Of requests, how many the server had before it at one moment. */
function mostAtOnce(events: readonly EndpointEvent[]): number {
  let open = 0, most = 0
  for (const { event } of events) {
    if (event === 'request-received') most = Math.max(most, ++open)
    else if (event === 'request-ended') open--
  }
  return most
}

/** In any order. */
const isSame = (a: readonly string[], b: readonly string[]): boolean => JSON.stringify([...a].sort()) === JSON.stringify([...b].sort())
