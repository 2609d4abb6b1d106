// coturn's turnutils_natdiscovery (RFC 5780) judges the router: what it reports is what was configured, for every mapping with
// every filtering. It knows three answers to each, and prints one sentence for each.
import t from 'tap'
import { createInterface } from 'node:readline'
import { openBench, type AttachedBench } from '../../lab/index.js'
import { DEPENDENCES, type Dependence } from '../../napt/behaviour/behaviour.js'
import { needsCoturn } from '../prerequisites.js'
import { run } from './helpers.js'
import { OTHER_ADDRESS, SERVER, sideBySide } from './side-by-side.js'

const WORDS: Readonly<Record<Dependence, string>> = {
  'endpoint-independent': 'Endpoint Independent', 'address-dependent': 'Address Dependent', 'address-and-port-dependent': 'Address and Port Dependent',
}
const HAIRPINNED = 'Received a request (maybe a successful hairpinning)', SILENCE = 'STUN receive timeout..'

/** The tool's sentences: the lines that state a finding, all others left out. */
const findings = (stdout: string): string[] => stdout.split('\n').filter(line => line.startsWith('NAT with ') || line.startsWith('No NAT!'))

/**
 * Answers STUN at both addresses and two ports each, with no file read, none written and no TURN. The tool has to be pointed at
 * the address that is named first: coturn gives the second one as the other address, whichever was asked.
 */
async function startStunServer(bench: AttachedBench): Promise<void> {
  const server = bench.spawn('stun', 'turnserver', [
    '-n', '--userdb=:memory:', '--pidfile=', '--log-file=stdout', '--verbose', '--relay-threads=0',
    '--stun-only', '--no-tcp', '--no-tls', '--no-dtls', '--no-cli', `--listening-ip=${SERVER}`, `--listening-ip=${OTHER_ADDRESS}`,
  ])
  const log: string[] = []
  await new Promise<void>((resolve, reject) => {
    createInterface(server.stdout).on('line', line => {
      log.push(line)
      if (line.includes('Total General servers')) resolve() // said after the last of its sockets is bound
    })
    server.once('close', () => reject(new Error(`turnserver ended:\n${log.join('\n')}`)))
  })
}

type Hairpin = 'on' | 'filtered' | 'off'

/** Beside the tool's own packets nothing has opened a filter, so a filter that holds in the LAN lets only endpoint-independent ones pass. */
const HAIRPINNING = {
  on: { nat: { hairpinning: 'external-source' }, passes: () => true },
  filtered: { nat: { hairpinning: 'external-source', filterHairpinned: true }, passes: (filtering: Dependence) => filtering === 'endpoint-independent' },
  off: { nat: { hairpinning: 'off' }, passes: () => false },
} as const satisfies Record<Hairpin, { nat: object, passes: (filtering: Dependence) => boolean }>
const HAIRPINS = ['on', 'filtered', 'off'] as const

/** Every mapping with every filtering; the third choice turns with them, so that each two of the choices meet in every combination. */
const CONFIGURED = DEPENDENCES.flatMap((mapping, m) => DEPENDENCES.map((filtering, f) => ({ mapping, filtering, hairpin: HAIRPINS[(m + f) % 3] })))

t.test('mapping, filtering and hairpinning are found as configured', needsCoturn, async t => {
  const behaviours = CONFIGURED.map(({ mapping, filtering, hairpin }) => ({ mapping, filtering, ...HAIRPINNING[hairpin].nat }))
  await using bench = await openBench(sideBySide(behaviours))
  await startStunServer(bench)
  const discover = async (host: string, ...options: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(bench, host, 'turnutils_natdiscovery', ...options, SERVER)
    if (code !== 0) throw new Error(`turnutils_natdiscovery on ${host}: ${stderr}`)
    return stdout
  }
  const reports = await Promise.all(CONFIGURED.map(async ({ mapping, filtering, hairpin }, index) => {
    const host = `inside${index + 1}`
    const [behaviour, hairpinning] = await Promise.all([discover(host, '-m', '-f'), discover(host, '-H')])
    const heard = hairpinning.split('\n').filter(line => line === HAIRPINNED || line === SILENCE)
    return { what: `${mapping} mapping, ${filtering} filtering, hairpinning ${hairpin}`, mapping, filtering, hairpin, behaviour, heard }
  }))
  for (const { what, mapping, filtering, hairpin, behaviour, heard } of reports) {
    t.same(findings(behaviour), [`NAT with ${WORDS[mapping]} Mapping!`, `NAT with ${WORDS[filtering]} Filtering!`], what)
    t.notMatch(behaviour, 'ALG detected', `${what}: addresses in payloads are left alone`)
    t.same(heard, HAIRPINNING[hairpin].passes(filtering) ? [HAIRPINNED] : [SILENCE, SILENCE], `${what}: hairpinning`)
  }
})
