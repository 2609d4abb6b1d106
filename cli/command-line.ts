// The command line: which commands there are, and what their ends mean. Exit codes: 0 good, 1 a check failed or a request was
// refused, 2 wrong usage or a missing prerequisite.
import yargs, { type Argv } from 'yargs'
import { hideBin } from 'yargs/helpers'
import { exitCodeOf, UsageError } from './errors.js'
import { endWithItsReader } from './standard-output.js'
import { version } from './version.js'

/** By the first word; loaded one by one, since a bench starts this program once for each of its hosts. */
const COMMANDS: Readonly<Record<string, (yargs: Argv) => Promise<Argv>>> = {
  run: async yargs => yargs.command((await import('./commands/run.js')).runCommand),
  bench: async yargs => yargs.command((await import('./commands/bench.js')).benchCommand),
  up: async yargs => yargs.command((await import('./commands/up.js')).upCommand),
  ps: async yargs => yargs.command((await import('./commands/ps.js')).psCommand),
  exec: async yargs => yargs.command((await import('./commands/exec.js')).execCommand),
  down: async yargs => yargs.command((await import('./commands/down.js')).downCommand),
  table: async yargs => yargs.command((await import('./commands/table.js')).tableCommand),
  counters: async yargs => yargs.command((await import('./commands/counters.js')).countersCommand),
  trace: async yargs => yargs.command((await import('./commands/trace.js')).traceCommand),
  record: async yargs => yargs.command((await import('./commands/record.js')).recordCommand),
  map: async yargs => yargs.command((await import('./commands/map.js')).mapCommand),
  nat: async yargs => yargs.command((await import('./commands/nat.js')).natCommand),
  unmap: async yargs => yargs.command((await import('./commands/map.js')).unmapCommand),
  flush: async yargs => yargs.command((await import('./commands/flush.js')).flushCommand),
  renumber: async yargs => yargs.command((await import('./commands/renumber.js')).renumberCommand),
  clock: async yargs => yargs.command((await import('./commands/clock.js')).clockCommand),
  show: async yargs => yargs.command((await import('./commands/show.js')).showCommand),
  translate: async yargs => yargs.command((await import('./commands/translate.js')).translateCommand),
  explain: async yargs => yargs.command((await import('./commands/explain.js')).explainCommand),
  check: async yargs => yargs.command((await import('./commands/check.js')).checkCommand),
  golden: async yargs => yargs.command((await import('./commands/golden.js')).goldenCommand),
  dissector: async yargs => yargs.command((await import('./commands/dissector.js')).dissectorCommand),
  emit: async yargs => yargs.command((await import('./commands/emit.js')).emitCommand),
  router: async yargs => yargs.command((await import('./commands/router.js')).routerCommand),
  server: async yargs => yargs.command((await import('./commands/server.js')).server),
  accept: async yargs => yargs.command((await import('./commands/accept.js')).accept),
  equipment: async yargs => yargs.command((await import('./commands/equipment.js')).equipmentCommand),
  issue: async yargs => yargs.command((await import('./commands/issue.js')).issue),
  ca: async yargs => yargs.command((await import('./commands/ca.js')).caCommand),
  relay: async yargs => yargs.command((await import('./commands/relay.js')).relayCommand),
}

/** What yargs knows by itself, and after `nat` the names of the presets. */
function completeNames(
  _current: string, typed: { readonly _: readonly (string | number)[] },
  usual: (then: (error: Error | null, words: string[] | undefined) => void) => unknown, done: (words: string[]) => unknown,
): void {
  usual((_error, words = []) => {
    if (!typed._.includes('nat')) done(words)
    else void import('../napt/behaviour/presets.js').then(({ PRESET_NAMES }) => done([...words, ...PRESET_NAMES]))
  })
}

const words = hideBin(process.argv)
/** The shell asks what may come next: what has been typed so far need not be a whole command. */
const isCompleting = words[0] === '--get-yargs-completions'
const named = Object.hasOwn(COMMANDS, words[0] ?? '') ? [COMMANDS[words[0]]] : Object.values(COMMANDS)

endWithItsReader(process.stdout)
try {
  let parser: Argv = yargs(words).scriptName('naptlab')
  for (const add of named) parser = await add(parser)
  parser
    .usage('$0 COMMAND\n\nA NAT lab: a userspace NAPT router, a bench of network namespaces, packet checks.')
    .example('$0 run fig2', 'the sequence of Fig. 2, with every packet shown and checked')
    .example('$0 up && $0 exec 102 -- ip route', 'a bench that stays, and a program on one of its hosts')
    .completion('completion', 'Print a completion script for bash or zsh', completeNames)
    .version(version())
    .alias('h', 'help')
    .demandCommand(1, 'Which command? They are listed above.')
    .strict()
    .wrap(Math.min(110, process.stdout.columns))
    .fail((message: string | null, error: Error | undefined, failed) => {
      // What a command throws is its own to explain; yargs' errors are about the words of the command line.
      if (error !== undefined && error.name !== 'YError') throw error
      if (!isCompleting) failed.showHelp('error')
      throw new UsageError(`\n${message ?? 'wrong usage'}`)
    })
  await parser.parseAsync()
} catch (error) {
  if (!isCompleting) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
