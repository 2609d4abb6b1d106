// naptlab trace: every frame that a router handles, as it does, with what it did and why.
import type { CommandModule } from 'yargs'
import { FRAME_WORDS } from '../../lab/recording/verdict-comment.js'
import { parseFlowFilter } from '../../napt/control/flow-filter.js'
import { recordToEvent } from '../../napt/control/frame-event.js'
import { explain, type ExplainOptions } from '../../napt/trace/explain.js'
import { stopSignal, untilAborted } from '../stop-signal.js'
import { filterOf, filterOptions, type FilterArguments } from '../filter-options.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'
import { coloured, hasColour } from '../terminal.js'
import { isMeant } from '../trace-filter.js'

interface TraceArguments extends RouterTarget, FilterArguments {
  readonly drops: boolean
  readonly verbose: boolean
  readonly json: boolean
}

export const traceCommand: CommandModule<object, TraceArguments> = {
  command: 'trace <router>',
  describe: 'Follow a router frame by frame, until Ctrl-C: what it did, and why',
  builder: yargs => filterOptions(routerTarget(yargs), ['protocol', 'lan', 'wan', 'remote'])
    .option('drops', { type: 'boolean', default: false, describe: 'Only frames that are dropped' })
    .option('verbose', { alias: 'v', type: 'boolean', default: false, describe: 'Mapping, filter, state and time left of the others too' })
    .option('json', { type: 'boolean', default: false, describe: 'One JSON object a frame, frames in base64' })
    .example('$0 trace 104b', 'what comes in, what goes out, what is dropped and why')
    .example('$0 trace 104b --drops --remote 8.117.12.109', 'why this one does not get in')
    .example('$0 trace 104b -v --protocol tcp', 'how connections open, stand and close'),
  handler: async args => {
    const { json, drops, verbose } = args, given = filterOf(args), filter = given === undefined ? null : parseFlowFilter(given)
    await withRouter(args, async router => {
      const stopped = untilAborted(stopSignal())
      const { name } = await router.request({ op: 'info' })
      const options: ExplainOptions = { full: verbose, ...(hasColour() ? { paint } : {}) }
      await router.trace(record => {
        if (filter === null || isMeant(record, filter)) console.log(json ? JSON.stringify(recordToEvent(record)) : explain(record, name, FRAME_WORDS, options).join('\n'))
      }, { drops })
      process.stderr.write(`following ${args.router}; Ctrl-C ends it\n`)
      await Promise.race([router.ended, stopped])
      if (router.missed > 0) process.stderr.write(`${router.missed} frames are missing above: they came faster than this could take them\n`)
    })
  },
}

const STYLES = { forward: 'good', answer: 'dim', drop: 'bad', originate: 'dim', hold: 'dim', split: 'good' } as const
const paint: NonNullable<ExplainOptions['paint']> = (text, action) => coloured(text, STYLES[action])
