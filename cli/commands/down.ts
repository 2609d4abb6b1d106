// naptlab down: take a bench down, and everything that runs on it.
import type { CommandModule } from 'yargs'
import { findBench, findBenches, takeDown } from '../../lab/index.js'

interface DownArguments { readonly bench: string | undefined, readonly all: boolean | undefined }

export const downCommand: CommandModule<object, DownArguments> = {
  command: 'down [bench]',
  describe: 'Take a bench down, with everything that runs on it',
  builder: yargs => yargs
    .positional('bench', { type: 'string', describe: 'Name or number of the bench, when there are several' })
    .option('all', { type: 'boolean', describe: 'Every standing bench' })
    .conflicts('all', 'bench')
    .example('$0 down', 'the only bench')
    .example('$0 down second', 'one of several'),
  handler: async ({ bench, all }) => {
    const benches = all ? findBenches().filter(({ mode }) => mode === 'standing') : [findBench(bench)]
    for (const found of benches) {
      await takeDown(found)
      console.log(`bench ${found.name} is down`)
    }
  },
}
