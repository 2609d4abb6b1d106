// naptlab nat get: what a router that runs is like now, as a file.
import type { CommandModule } from 'yargs'
import { DEFAULT_BEHAVIOUR } from '../../napt/behaviour/behaviour.js'
import { describeBehaviour } from '../../napt/behaviour/describe-behaviour.js'
import { natLines } from '../nat-text.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'

interface NatGetArguments extends RouterTarget { readonly all: boolean, readonly json: boolean }

export const natGetCommand: CommandModule<object, NatGetArguments> = {
  command: 'get <router>',
  describe: 'Print how a router behaves that runs, as a file',
  builder: yargs => routerTarget(yargs)
    .option('all', { type: 'boolean', default: false, describe: 'The choices too that are as the RFCs recommend' })
    .option('json', { type: 'boolean', default: false, describe: 'Every choice as JSON' })
    .example('$0 nat get 104b > 104b.yaml', 'to keep it, after nat set, map or unmap'),
  handler: async ({ all, json, ...target }) => {
    const { nat } = await withRouter(target, router => router.request({ op: 'info' }))
    const usual = describeBehaviour(DEFAULT_BEHAVIOUR)
    const said = Object.fromEntries(Object.entries(nat).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(usual[field as keyof typeof usual])))
    console.log(json ? JSON.stringify({ name: target.router, nat }, null, 2) : natLines({ name: target.router, nat: said }, all).join('\n'))
  },
}
