// naptlab counters: what a router did so far, with every drop reason that occurred.
import type { CommandModule } from 'yargs'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'
import { counterLines } from '../tables.js'

interface CountersArguments extends RouterTarget { readonly json: boolean }

export const countersCommand: CommandModule<object, CountersArguments> = {
  command: 'counters <router>',
  describe: 'Show a router\'s counters, drops by reason among them',
  builder: yargs => routerTarget(yargs)
    .option('json', { type: 'boolean', default: false, describe: 'As JSON, with the reasons that never occurred too' })
    .example('$0 counters 104b', 'why packets were dropped, and how many'),
  handler: async ({ json, ...target }) => {
    const counters = await withRouter(target, router => router.request({ op: 'counters' }))
    console.log(json ? JSON.stringify(counters, null, 2) : counterLines(counters).join('\n'))
  },
}
