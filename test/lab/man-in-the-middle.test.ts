// A man in the middle on the bench: on the WAN another host answers at the server's address. It speaks the protocol and has the keys
// to all that it says and hears, but not the certificate: 102 and 103 refuse it, and neither 217 nor 226 is ever sent.
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { LadderEntry } from '../../captures/index.js'
import { createAuthority, generateKeys, issueCertificate, privatePem, type Authority, type ValidityOptions } from '../../endpoints/ca/index.js'
import type { Apparatus } from '../../lab/programs/apparatus.js'
import type { BenchDescription } from '../../lab/bench/bench.js'
import { fig1 } from '../../lab/benches/fig1.js'
import type { ClientSecurity, ServerSecurity } from '../../lab/programs/encryption.js'
import { connectionsOf } from '../../lab/systems/placement.js'
import { runScenario, type Stage } from '../../lab/systems/scenario.js'
import { needsNamespaces } from '../prerequisites.js'

const SERVER = '130.74.23.6', DAY = 86_400_000, PASSWORD = 'open sesame 2133'
/** Makes the request that 103 is told of. */
const ACCOMPLICE = fileURLToPath(new URL('./credulous.js', import.meta.url))
const VARIANT = { encryption: 'tls1.3', keyExchange: 'dhe' } as const

const now = Date.now()
const [keys, caKeys, otherCaKeys] = await Promise.all([generateKeys(), generateKeys(), generateKeys()])
const ca = await createAuthority(caKeys, { now: now - 90 * DAY }), otherCa = await createAuthority(otherCaKeys, { now: now - 90 * DAY })

const issue = async (authority: Authority, names: readonly string[] = [SERVER], validity: ValidityOptions = {}): Promise<string> =>
  (await issueCertificate(authority, { publicKey: keys.publicKey, names }, validity)).toString()

/** What the man in the middle shows, and what 102 and 103 say to it. */
const IMPOSTORS = [
  { certificate: await issue(otherCa), reason: 'certificate-untrusted' }, // another CA, of the same name
  { certificate: await issue(ca, [SERVER], { now: now - 20 * DAY, lifetime: 10 * DAY }), reason: 'certificate-expired' },
  { certificate: await issue(ca, [SERVER], { now: now + DAY }), reason: 'certificate-not-yet-valid' },
  { certificate: await issue(ca, ['130.74.23.7', 'server.example']), reason: 'certificate-other-name' },
] as const
/** The true one, with which everything goes through: whoever has that is the server. */
const GENUINE = await issue(ca)

/** Fig. 1, where another host has the server's address, as if it had taken it over on the WAN. */
const bench: BenchDescription = {
  ...fig1, name: 'man-in-the-middle',
  hosts: { ...fig1.hosts, 66: { title: 'man in the middle', network: 'wan', address: SERVER }, 101: { ...fig1.hosts[101], address: '130.74.23.7' } },
}

interface Scene { readonly stage: Stage, readonly client: ClientSecurity, readonly impostor: (certificate: string) => Promise<Apparatus> }

/** Plays the scene, and gives the titles of the packets. Every certificate is the same key's, so all that 66 hears can be read. */
async function play(out: string, scene: (scene: Scene) => Promise<void>): Promise<{ failures: readonly string[], titles: readonly string[] }> {
  const entries: LadderEntry[] = []
  const { result } = await runScenario({
    name: 'in-the-middle', title: 'a man in the middle', bench, standardBench: fig1.name, hosts: ['66', '102', '103'], routers: ['104a', '104b'], connections: connectionsOf(bench), golden: null,
    sequence: async stage => {
      await stage.watching
      const impostor = async (certificate: string): Promise<Apparatus> => {
        const program = stage.program('66')
        const security: ServerSecurity = { ...VARIANT, key: privatePem(keys.privateKey), certificate, keyLog: stage.keyLog }
        program.begin({ role: 'server', level: 3, notify: 1500, security })
        await program.event('listening', event => event.purpose === 'second connections')
        return program
      }
      await scene({ stage, impostor, client: { ...VARIANT, ca: ca.certificate.toString(), serverName: SERVER } })
    },
  }, { out, onEntry: entry => entries.push(entry) })
  return { failures: result.failures, titles: entries.flatMap(entry => entry.kind === 'packet' ? [entry.title] : []) }
}

const count = (titles: readonly string[], word: string): number => titles.filter(title => title.includes(word)).length

const request = (security: ClientSecurity) => ({
  role: 'issuer', level: 3, equipmentId: '2133', password: PASSWORD, server: SERVER, localPort: 0, listen: 0, reachedAt: { address: SERVER, port: 5000 },
  holds: false, data: 'tcp', lines: [], files: [], security,
} as const)

t.test('102 sends no 217 to a man in the middle', needsNamespaces, async t => {
  const { failures, titles } = await play(join(t.testdir(), 'captures'), async ({ stage, client, impostor }) => {
    for (const { certificate, reason } of IMPOSTORS) {
      const server = await impostor(certificate), issuer = stage.program('102')
      issuer.begin(request(client))
      t.match(await issuer.event('error'), { reason })
      t.equal((await issuer.exited).code, 1, issuer.lastWords)
      t.match(await server.event('error'), { reason: 'certificate-refused' }, 'and it is told')
      t.same(server.events.filter(({ event }) => event === 'request-received'), [])
      server.stop()
      await server.exited
    }
    const server = await impostor(GENUINE), issuer = stage.program('102')
    issuer.begin(request(client))
    t.match(await issuer.event('answered'), { outcome: 'unknown-equipment' }, 'the true certificate is believed')
    await issuer.exited
    t.equal(server.events.filter(({ event }) => event === 'request-received').length, 1)
  })
  t.same(failures, [])
  t.equal(count(titles, '211 TCP connection start'), IMPOSTORS.length + 1)
  t.same(titles.flatMap((title, at) => title.includes('217') ? [count(titles.slice(0, at), '211 TCP connection start')] : []), [IMPOSTORS.length + 1], '217 is on the wire once, for the true one')
})

t.test('103 takes no 226 from a man in the middle', needsNamespaces, async t => {
  const { failures, titles } = await play(join(t.testdir(), 'captures'), async ({ stage, client, impostor }) => {
    const meet = async (certificate: string): Promise<{ server: Apparatus, acceptor: Apparatus, end: () => Promise<void> }> => {
      const server = await impostor(certificate), acceptor = stage.program('103')
      acceptor.begin({ role: 'acceptor', level: 3, equipmentId: '2133', password: PASSWORD, server: SERVER, localPort: 2000, connectPort: 0, interval: 15_000, receive: '/run', security: client })
      await server.event('registered')
      const accomplice = stage.bench.spawn('66', process.execPath, [ACCOMPLICE, SERVER, '2133', PASSWORD])
      const left = once(accomplice, 'exit')
      const end = async (): Promise<void> => {
        accomplice.kill('SIGKILL')
        for (const program of [acceptor, server]) program.stop()
        await Promise.all([left, acceptor.exited, server.exited])
      }
      return { server, acceptor, end }
    }
    for (const { certificate, reason } of IMPOSTORS) {
      const { server, acceptor, end } = await meet(certificate)
      t.match(await acceptor.event('error'), { reason })
      t.match(await server.event('error', event => event.reason === 'certificate-refused'), { address: '202.204.16.13' }, 'and it is told')
      t.same([...server.events, ...acceptor.events].filter(({ event }) => event === 'request-forwarded' || event === 'password-checked'), [])
      await end()
    }
    const { server, acceptor, end } = await meet(GENUINE)
    t.match(await acceptor.event('password-checked'), { outcome: 'right' }, 'the true certificate is believed')
    await server.event('request-forwarded')
    await end()
  })
  t.same(failures, [])
  t.ok(count(titles, '221 TCP connection start') > IMPOSTORS.length)
  const sent = titles.flatMap((title, at) => title.includes('226') ? [at] : [])
  t.equal(sent.length, 1, '226 is on the wire once, for the true one')
  t.equal(count(titles.slice(sent[0]), '221 TCP connection start'), 0, 'on the last of the connections')
})
