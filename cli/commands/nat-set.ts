// naptlab nat set: a router that runs behaves otherwise from now on.
import type { CommandModule } from 'yargs'
import { natNamed } from '../../lab/read-nat.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'
import { counted } from '../tables.js'

interface NatSetArguments extends RouterTarget { readonly nat: string }

export const natSetCommand: CommandModule<object, NatSetArguments> = {
  command: 'set <router> <nat>',
  describe: 'Let a router that runs behave otherwise from now on; its WAN addresses and static mappings stay, unless the file names others',
  builder: yargs => routerTarget(yargs)
    .positional('nat', { type: 'string', demandOption: true, describe: 'A preset by name, or a YAML file' })
    .example('$0 nat set 104b symmetric', 'a mapping of its own for each destination')
    .example('$0 nat set 104b ./mine.yaml', 'a NAT as it was described'),
  handler: async ({ nat: name, ...target }) => {
    const { nat } = natNamed(name)
    const { mappings } = await withRouter(target, async router => {
      const { pool, oneToOne, staticMappings } = (await router.request({ op: 'info' })).nat
      return router.request({ op: 'behave', nat: { pool, oneToOne, staticMappings, ...(typeof nat === 'string' ? { preset: nat } : nat) } })
    })
    console.log(`${target.router} behaves as ${name} says; ${counted(mappings, 'mapping')} removed`)
  },
}
