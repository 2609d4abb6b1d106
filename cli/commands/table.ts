// naptlab table: a router's mappings and sessions.
import type { CommandModule } from 'yargs'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'
import { mappingLines } from '../tables.js'

interface TableArguments extends RouterTarget { readonly json: boolean }

export const tableCommand: CommandModule<object, TableArguments> = {
  command: 'table <router>',
  describe: 'Show a router\'s NAPT table',
  builder: yargs => routerTarget(yargs)
    .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
    .example('$0 table 104a', 'the table of router 104a on the bench that stands'),
  handler: async ({ json, ...target }) => {
    const table = await withRouter(target, router => router.request({ op: 'table' }))
    console.log(json ? JSON.stringify(table, null, 2) : mappingLines(table).join('\n'))
  },
}
