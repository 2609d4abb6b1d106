// naptlab clock: time on a router's own clock, by which mappings lapse and ARP tries again.
import type { CommandModule } from 'yargs'
import { CLOCK_RATES } from '../../napt/clock.js'
import type { ClockJson } from '../../napt/control/protocol.js'
import { duration } from '../../napt/duration.js'
import { number } from '../../napt/fields.js'
import { parseDuration } from '../options.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'

interface ClockArguments extends RouterTarget { readonly json: boolean }
interface RunArguments extends ClockArguments { readonly rate: number }
interface AdvanceArguments extends ClockArguments { readonly time: string }

const JSON_OPTION = { type: 'boolean', default: false, describe: 'The clock\'s state as JSON' } as const

const showCommand: CommandModule<object, ClockArguments> = {
  command: 'show <router>',
  describe: 'Show the time since a router began on its clock, and how fast that runs',
  builder: yargs => routerTarget(yargs).option('json', JSON_OPTION)
    .example('$0 clock show 104b', 'how long it has run, frozen or not'),
  handler: async args => say(args, await withRouter(args, router => router.request({ op: 'clock' }))),
}

const freezeCommand: CommandModule<object, ClockArguments> = {
  command: 'freeze <router>',
  describe: 'Stop a router\'s clock: nothing lapses, however long you look',
  builder: yargs => routerTarget(yargs).option('json', JSON_OPTION)
    .example('$0 clock freeze 104b', 'packets pass as before; time stands still'),
  handler: async args => say(args, await withRouter(args, router => router.request({ op: 'freeze' }))),
}

const runCommand: CommandModule<object, RunArguments> = {
  command: 'run <router>',
  describe: 'Let a router\'s clock run again, or run faster or slower than the machine\'s',
  builder: yargs => routerTarget(yargs).option('json', JSON_OPTION)
    .option('rate', { type: 'number', default: 1, requiresArg: true, describe: `How many times as fast as the machine's, ${CLOCK_RATES.least} to ${CLOCK_RATES.most}` })
    .example('$0 clock run 104b', 'as fast as the machine\'s')
    .example('$0 clock run 104b --rate 10', 'five minutes pass in thirty seconds'),
  handler: async args => {
    const rate = number(args.rate, '--rate', CLOCK_RATES.least, CLOCK_RATES.most)
    say(args, await withRouter(args, router => router.request({ op: 'run', rate })))
  },
}

const advanceCommand: CommandModule<object, AdvanceArguments> = {
  command: 'advance <router> <time>',
  describe: 'Let time pass for a router alone, frozen or not: what is idle that long lapses now',
  builder: yargs => routerTarget(yargs).option('json', JSON_OPTION)
    .positional('time', { type: 'string', demandOption: true, describe: 'Such as 5m, 90s or 2h' })
    .example('$0 clock advance 104b 5m', 'UDP mappings that nobody used meanwhile are gone'),
  handler: async args => {
    const seconds = parseDuration(args.time) / 1000
    const clock = await withRouter(args, router => router.request({ op: 'advance', seconds }))
    if (!args.json) console.log(`${args.router}: ${args.time} have passed`)
    say(args, clock)
  },
}

function say({ router, json }: ClockArguments, clock: ClockJson): void {
  const pace = clock.rate === 0 ? 'frozen' : clock.rate === 1 ? 'running' : `running ${clock.rate} times as fast as the machine's`
  console.log(json ? JSON.stringify(clock) : `${router}: ${duration(clock.seconds)} since it began, ${pace}`)
}

export const clockCommand: CommandModule = {
  command: 'clock <action>',
  describe: 'A router\'s own clock',
  builder: yargs => yargs.command(showCommand).command(freezeCommand).command(runCommand).command(advanceCommand)
    .demandCommand(1, 'What about the clock? There is: show, freeze, run, advance.')
    .example('$0 clock advance 104b 5m', 'what lapses within five minutes lapses now'),
  handler: () => undefined,
}
