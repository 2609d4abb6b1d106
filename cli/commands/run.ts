// naptlab run: a documented system on a bench of its own, shown live and checked.
import type { CommandModule } from 'yargs'
import { ENCRYPTIONS, KEY_EXCHANGES } from '../../endpoints/channel/variants.js'
import { DATA } from '../../endpoints/connection.js'
import { stopSignal } from '../stop-signal.js'
import { UsageError } from '../errors.js'
import { toJson } from '../json.js'
import { LiveLadder } from '../live-ladder.js'
import { natOption } from '../nat-option.js'
import { summaryLines, type System, type SystemOptions } from '../systems/system.js'

/** Loaded one by one: each brings the programs of its own. */
const SYSTEMS = {
  fig2: async (options: SystemOptions): Promise<System> => (await import('../systems/fig2.js')).fig2(options),
  fig11: async (options: SystemOptions): Promise<System> => (await import('../systems/fig11.js')).fig11(options),
  fig13: async (options: SystemOptions): Promise<System> => (await import('../systems/fig13.js')).fig13(options),
  hybrid: async (options: SystemOptions): Promise<System> => (await import('../systems/hybrid.js')).hybrid(options),
  'relay-login': async (options: SystemOptions): Promise<System> => (await import('../systems/relay-login.js')).relayLogin(options),
}
/** No system, but three of them side by side. */
const COMPARISON = 'compare'
const NAMES = [...Object.keys(SYSTEMS) as (keyof typeof SYSTEMS)[], COMPARISON] as const

interface RunArguments extends SystemOptions {
  readonly system: keyof typeof SYSTEMS | typeof COMPARISON
  readonly transfer: string | undefined
  readonly out: string | undefined
  readonly seed: string
  readonly json: boolean
  readonly all: boolean
}

const DESCRIPTION = `Run a documented system on a bench of its own, with every packet shown and checked

  fig2         102 and 103, each behind a NAPT router, find each other through 101 and connect directly
  fig11        NAPT alone: what the router of Fig. 10 does to packets, by dynamic and by static mappings
  fig13        prior art: 12 and 13 talk through the server 11, which relays
  hybrid       prior art: pairs with global addresses connect directly, all others through the server
  relay-login  prior art: terminals 11 and 21 log in at the server 4, which relays between their connections
  compare      the same data by fig13, by relay-login and directly as in fig2: bytes through the server, throughput, its CPU`

export const runCommand: CommandModule<object, RunArguments> = {
  command: 'run <system>',
  describe: DESCRIPTION.split('\n')[0],
  builder: yargs => natOption(yargs)
    .usage(`$0 run <system>\n\n${DESCRIPTION}`)
    .positional('system', { demandOption: true, choices: NAMES, describe: 'What runs; see above' })
    .option('bench', { type: 'string', describe: 'A bench file of your own (begin with: naptlab bench fig1 > my.yaml; fig10 for fig11 and fig13)' })
    .option('variant', { choices: ['fig2', 'fig8b', 'renumber'] as const, describe: 'fig2 only. fig8b: 104b\'s mapping lapses and comes back as port 2400, to the digit of Fig. 8B; renumber: 104b gets another WAN address, a request in the gap fails, and one after the next 201 succeeds [fig2]' })
    .option('level', { type: 'number', choices: [1, 2, 3, 4], describe: 'fig2 only. 1: by UDP alone; 2: with 205 and a second connection; 3: with the password; 4: with certificates and encryption [4]' })
    .option('encryption', { choices: ENCRYPTIONS, describe: 'fig2 only. Of the connections with 101, at level 4; none is level 3; ssl3 is insecure, and here to reproduce the figures [tls1.3]' })
    .option('key-exchange', { choices: KEY_EXCHANGES, describe: 'fig2 only. tls1.2: rsa or dhe; ssl3: rsa, dhe, or dh with the key of the certificate [dhe]' })
    .option('issuer', { type: 'string', describe: 'fig2: where 102 is: napt, nat (behind a router that translates addresses only) or global (on the WAN) [napt]; fig13: where 12 is: wan, or lan (behind a router of its own) [wan]' })
    .option('acceptor', { type: 'string', describe: 'fig2 only. Where 103 is: napt, nat or global, as with --issuer [napt]' })
    .option('mapping', { choices: ['static', 'on-demand'] as const, describe: 'fig2 only. How 104a leads to 102: port 5000 is mapped always, or from 211 until S209 is over, and a call from the WAN is refused then [static]' })
    .option('data', { choices: DATA, describe: 'fig2 only. How S209 runs: in the clear or under TLS; for udp, 104a maps UDP port 5000 too [tcp]' })
    .option('transfer', { type: 'string', describe: 'compare only. How much is moved by each system: 100MB, 64MiB, 1.5GB, or bytes [100MB]' })
    .option('out', { type: 'string', describe: 'Folder for the capture, SYSTEM.pcapng or VARIANT.pcapng, or for the chart [out/SYSTEM, or out/VARIANT]' })
    .option('seed', { type: 'string', default: '1', describe: 'For whatever the routers draw by lot' })
    .option('all', { type: 'boolean', default: false, describe: 'Show acknowledgements and the rest of handshakes too' })
    .option('json', { type: 'boolean', default: false, describe: 'The result as JSON; the ladder is left out' })
    .example('$0 run fig2', 'the standard run')
    .example('$0 run fig2 --encryption none', 'the same in the clear: level 3')
    .example('$0 run fig2 --encryption tls1.2 --key-exchange dhe', 'packet by packet as Figs. 3 and 4 have it, 216 and 225 included')
    .example('$0 run fig2 --variant fig8b', 'the list is brought up to date by the next 201 (S202A)')
    .example('$0 run fig2 --level 1 --all', 'without 205 and password, every packet shown')
    .example('$0 run fig2 --nat 104b=symmetric', 'the same sequence with another NAT in front of 103')
    .example('$0 run fig2 --issuer global --acceptor nat', 'the same sequence with 102 on the WAN and 103 behind address-only NAT')
    .example('$0 run fig2 --variant renumber', 'the WAN address of 104b changes')
    .example('$0 run fig2 --data udp', 'the direct connection over UDP')
    .example('$0 run fig2 --encryption ssl3 --key-exchange dh', 'with the key derivation of equation (1)')
    .example('$0 run fig2 --bench my.yaml --out /tmp/mine', 'the same sequence behind your NAT')
    .example('$0 run fig11', 'the table of Fig. 12 as it comes and goes, and a static one')
    .example('$0 run fig13 --issuer lan', 'the relayed connection, both ends behind a router')
    .example('$0 run relay-login', 'all of (1) to (24) of JP 2002-217942')
    .example('$0 run compare --transfer 100MB', 'what a relay costs its server, as a table and out/compare/compare.svg'),
  handler: async args => {
    const { system: name, transfer, seed, json, all } = args
    if (name === COMPARISON) {
      await (await import('../systems/compare.js')).compare(args)
      return
    }
    if (transfer !== undefined) throw new UsageError(`run ${name} has no --transfer; it belongs to run ${COMPARISON}.`)
    const system = await SYSTEMS[name](args)
    const out = args.out ?? `out/${system.name}`
    const view = json ? null : new LiveLadder(`naptlab run ${name} · ${system.title} · seed ${seed}`, system.lanes, all)
    const { result, summary } = await system.run({
      out, name: system.name, seed, signal: stopSignal(),
      ...(view === null ? {} : { onEntry: entry => view.show(entry), onNotice: text => process.stderr.write(`note: ${text}\n`) }),
    })
    view?.end()
    console.log(json ? toJson(result) : summaryLines(result, summary).join('\n'))
    process.exitCode = result.ok ? 0 : 1
  },
}
