// naptlab up: stand a bench up that stays between commands.
import type { CommandModule } from 'yargs'
import { asItIs, describedBench, standBench } from '../../lab/index.js'
import { UsageError } from '../errors.js'
import { natOption, withNats } from '../nat-option.js'

interface UpArguments { readonly bench: string, readonly name: string | undefined, readonly router: string | undefined, readonly seed: string, readonly nat: readonly string[] }

export const upCommand: CommandModule<object, UpArguments> = {
  command: 'up [bench]',
  describe: 'Bring a bench up that stays until it is taken down',
  builder: yargs => natOption(yargs)
    .positional('bench', { type: 'string', default: 'fig1', describe: 'A bench by name, or a YAML or JSON file that describes one' })
    .option('name', { type: 'string', describe: 'Name of the bench, when several are to stand' })
    .option('router', { type: 'string', describe: 'Program of your own for each router, run as node FILE CONFIG' })
    .option('seed', { type: 'string', default: '1', describe: 'For whatever the routers draw by lot' })
    .example('$0 up', 'the bench of Fig. 1')
    .example('$0 up fig1 --nat 104a=linux-masquerade --nat 104b=./my.yaml', 'other NATs in its routers')
    .example('$0 up office.yaml --name second', 'a bench of your own, beside another'),
  handler: async ({ bench: nameOrFile, name, router, seed, nat }) => {
    if (router !== undefined && nat.length > 0) throw new UsageError('--nat is for naptlab\'s own routers; a program given with --router has its own behaviour.')
    const description = withNats(describedBench(nameOrFile, router === undefined ? undefined : asItIs), nat)
    const bench = await standBench(description, { seed, ...name !== undefined && { name }, ...router !== undefined && { routerScript: router } })
    console.log(`bench ${bench.name} is up: ${[...bench.hosts, ...bench.routers].map(host => host.name).join(', ')}`)
    for (const { name: router } of bench.routers) console.log(`  control socket of ${router}: ${bench.controlSocket(router)}`)
    console.log(`  naptlab exec ${bench.hosts.at(0)?.name ?? 'HOST'} -- ip address\n  naptlab down ${bench.name}`)
  },
}
