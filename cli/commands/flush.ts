// naptlab flush: dynamic mappings of a router go before their time.
import type { CommandModule } from 'yargs'
import { filterOf, filterOptions, type FilterArguments } from '../filter-options.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'
import { counted } from '../tables.js'

interface FlushArguments extends RouterTarget, FilterArguments { readonly json: boolean }

export const flushCommand: CommandModule<object, FlushArguments> = {
  command: 'flush <router>',
  describe: 'Remove a router\'s dynamic mappings, or those that a filter means, with all their sessions',
  builder: yargs => filterOptions(routerTarget(yargs), ['protocol', 'lan', 'wan', 'remote', 'state'])
    .option('json', { type: 'boolean', default: false, describe: 'Say in JSON how many went' })
    .example('$0 flush 104b', 'as if the router had been switched off and on')
    .example('$0 flush 104b --protocol udp --lan 192.168.1.3:2000', 'one host\'s mapping')
    .example('$0 flush 104b --remote 130.74.23.6', 'every mapping with a session to the server'),
  handler: async ({ json, ...args }) => {
    const filter = filterOf(args)
    const removed = await withRouter(args, router => router.request({ op: 'flush', ...(filter === undefined ? {} : { filter }) }))
    console.log(json ? JSON.stringify(removed) : `${args.router}: ${counted(removed.mappings, 'mapping')} removed`)
  },
}
