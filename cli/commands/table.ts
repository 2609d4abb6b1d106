// naptlab table: a router's mappings and sessions, once or again and again.
import { setTimeout as pause } from 'node:timers/promises'
import type { CommandModule } from 'yargs'
import type { RouterClient } from '../../napt/control/client.js'
import type { FlowFilterText } from '../../napt/control/flow-filter.js'
import type { MappingJson } from '../../napt/control/protocol.js'
import { stopSignal } from '../stop-signal.js'
import { UsageError } from '../errors.js'
import { filterOf, filterOptions, type FilterArguments } from '../filter-options.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'
import { counted, lossText, mappingLines, sessionLines, sessionsOf } from '../tables.js'
import { Screen } from '../terminal.js'

interface TableArguments extends RouterTarget, FilterArguments {
  readonly sessions: boolean
  readonly watch: string | undefined
  readonly json: boolean
}

/** Seconds between two looks. */
const WATCH = { usual: 1, least: 0.1, most: 3600 } as const

export const tableCommand: CommandModule<object, TableArguments> = {
  command: 'table <router>',
  describe: 'Show a router\'s mappings and sessions, with the time they have left',
  builder: yargs => filterOptions(routerTarget(yargs))
    .option('sessions', { type: 'boolean', default: false, describe: 'One line for each session, in conntrack\'s manner' })
    .option('watch', { type: 'string', describe: `Again and again, every so many seconds [${WATCH.usual}], until Ctrl-C` })
    .option('json', { type: 'boolean', default: false, describe: 'As JSON; with --watch a line whenever more than the time left has changed' })
    .example('$0 table 104a', 'the table of router 104a on the bench that stands')
    .example('$0 table 104b --sessions --protocol tcp --state established', 'connections that stand')
    .example('$0 table 104b --lan 192.168.1.3 --wan 3400', 'the mapping of one host on one WAN port')
    .example('$0 table 104b --watch', 'see mappings come, count down and go'),
  handler: async args => {
    const { json, sessions } = args, filter = filterOf(args), interval = args.watch === undefined ? null : parseInterval(args.watch)
    await withRouter(args, async router => {
      if (interval !== null) await watch(router, filter, args, interval * 1000)
      else {
        const table = await look(router, filter), loss = await lossOf(router)
        if (loss !== null) process.stderr.write(`note: ${loss}\n`)
        console.log(json ? JSON.stringify(sessions ? sessionsOf(table) : table, null, 2) : lines(table, sessions).join('\n'))
      }
    })
  },
}

const look = (router: RouterClient, filter: FlowFilterText | undefined): Promise<readonly MappingJson[]> =>
  router.request({ op: 'table', ...(filter === undefined ? {} : { filter }) })

/** A table may lack what never arrived. */
const lossOf = async (router: RouterClient): Promise<string | null> => lossText((await router.request({ op: 'counters' })).devices)

const lines = (table: readonly MappingJson[], sessions: boolean): string[] => sessions ? sessionLines(table) : mappingLines(table)

async function watch(router: RouterClient, filter: FlowFilterText | undefined, { router: name, json, sessions }: TableArguments, interval: number): Promise<void> {
  const signal = stopSignal(), screen = process.stdout.isTTY ? new Screen(process.stdout) : null
  let known: string | undefined
  while (!signal.aborted) {
    const table = await look(router, filter), loss = await lossOf(router)
    const heading = `${name}  ${new Date().toISOString()}  ${count(table)}${loss === null ? '' : `; ${loss}`}`
    if (json) {
      const content = withoutTime(table)
      if (content !== known) console.log(JSON.stringify(sessions ? sessionsOf(table) : table))
      known = content
    } else if (screen !== null) {
      screen.draw([heading, ...lines(table, sessions)])
    } else {
      console.log([heading, ...lines(table, sessions), ''].join('\n'))
    }
    // Ctrl-C ends the pause, and is no error.
    await pause(interval, undefined, { signal }).catch(() => undefined)
  }
}

const count = (table: readonly MappingJson[]): string =>
  `${counted(table.length, 'mapping')}, ${counted(table.reduce((sum, { sessions }) => sum + sessions.length, 0), 'session')}`

/** What does not change by itself. */
const withoutTime = (table: readonly MappingJson[]): string => JSON.stringify(table, (name, value: unknown) => name === 'secondsLeft' ? undefined : value)

function parseInterval(text: string): number {
  const seconds = text === '' ? WATCH.usual : Number(text)
  if (!(seconds >= WATCH.least && seconds <= WATCH.most)) throw new UsageError(`--watch ${text}: a number of seconds from ${WATCH.least} to ${WATCH.most} is wanted`)
  return seconds
}
