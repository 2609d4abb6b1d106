// naptlab bench: a bench as a file, to begin one's own from.
import type { CommandModule } from 'yargs'
import { stringify } from 'yaml'
import { describedBench } from '../../lab/benches/index.js'

interface BenchArguments { readonly bench: string, readonly json: boolean }

export const benchCommand: CommandModule<object, BenchArguments> = {
  command: 'bench [bench]',
  describe: 'Print a bench as a file, to change and give to run or up',
  builder: yargs => yargs
    .positional('bench', { type: 'string', default: 'fig1', describe: 'A bench by name, or a file to check' })
    .option('json', { type: 'boolean', default: false, describe: 'As JSON instead of YAML' })
    .example('$0 bench fig1 > my.yaml', 'then change a word in it, and: naptlab run fig2 --bench my.yaml'),
  handler: ({ bench, json }) => {
    const description = describedBench(bench)
    process.stdout.write(json ? `${JSON.stringify(description, null, 2)}\n` : stringify(description))
  },
}
