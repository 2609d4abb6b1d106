// naptlab exec: run a program on a host of a bench, on this terminal.
import type { CommandModule } from 'yargs'
import { attach } from '../../lab/index.js'

interface ExecArguments { readonly host: string, readonly '--': readonly string[] | undefined, readonly bench: string | undefined }

export const execCommand: CommandModule<object, ExecArguments> = {
  command: 'exec <host>',
  describe: 'Run a program on a host, router or switch of a bench; its exit code is passed on',
  builder: yargs => yargs
    .usage('$0 exec HOST [--bench NAME] -- PROGRAM [ARGUMENT…]')
    .parserConfiguration({ 'populate--': true, 'parse-positional-numbers': false }) // the program's arguments, as they were typed
    .option('--', { hidden: true, array: true, string: true })
    .check(args => args['--'] !== undefined || 'Say after -- what to run: naptlab exec HOST -- PROGRAM')
    .positional('host', { type: 'string', demandOption: true, describe: 'Name of a host, router or switch' })
    .option('bench', { type: 'string', describe: 'Name or number of the bench, when there are several' })
    .example('$0 exec 102 -- ip route', 'what host 102 knows of the world')
    .example('$0 exec 103 -- bash', 'a shell on host 103')
    .example('$0 exec 104a -- tcpdump -ni wan', 'what the router sees'),
  handler: async ({ host, '--': [file = '', ...args] = [], bench }) => {
    process.exitCode = await attach(bench).exec(host, file, args)
  },
}
