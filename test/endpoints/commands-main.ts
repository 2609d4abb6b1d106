// The three commands as a program of their own, for commands.test.ts.
import yargs from 'yargs'
import { accept } from '../../cli/commands/accept.js'
import { issue } from '../../cli/commands/issue.js'
import { server } from '../../cli/commands/server.js'
import { UsageError } from '../../cli/options.js'

await yargs(process.argv.slice(2)).command(server).command(accept).command(issue).strict().demandCommand(1)
  .fail((message: string | null, error: Error | undefined) => {
    if (message === null && error && !(error instanceof UsageError)) throw error
    process.stderr.write(`${message ?? error?.message ?? ''}\n`)
    process.exit(2)
  })
  .parseAsync()
