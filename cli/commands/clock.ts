// naptlab clock: time on a router's own clock.
import type { CommandModule } from 'yargs'
import { parseDuration } from '../options.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'

interface AdvanceArguments extends RouterTarget { readonly time: string }

const advanceCommand: CommandModule<object, AdvanceArguments> = {
  command: 'advance <router> <time>',
  describe: 'Let time pass for a router alone: what is idle that long lapses now',
  builder: yargs => routerTarget(yargs)
    .positional('time', { type: 'string', demandOption: true, describe: 'Such as 5m, 90s or 2h' })
    .example('$0 clock advance 104b 5m', 'UDP mappings that nobody used meanwhile are gone'),
  handler: async ({ time, ...target }) => {
    const seconds = parseDuration(time) / 1000
    await withRouter(target, router => router.request({ op: 'advance', seconds }))
    console.log(`${target.router}: ${time} have passed`)
  },
}

export const clockCommand: CommandModule = {
  command: 'clock <action>',
  describe: 'A router\'s own clock',
  builder: yargs => yargs.command(advanceCommand).demandCommand(1, 'What about the clock? There is: advance.'),
  handler: () => undefined,
}
