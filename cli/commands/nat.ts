// naptlab nat: the presets, what a NAT is in each of its choices, and whether a file describes one.
import type { CommandModule } from 'yargs'
import { natNamed } from '../../lab/read-nat.js'
import { ConfigError } from '../../napt/fields.js'
import { PRESETS } from '../../napt/behaviour/presets.js'
import { behaviourOf, natLines } from '../nat-text.js'
import { columns } from '../tables.js'
import { natGetCommand } from './nat-get.js'
import { natSetCommand } from './nat-set.js'

interface ListArguments { readonly json: boolean }
interface ShowArguments { readonly nat: string, readonly all: boolean, readonly json: boolean }
interface CheckArguments { readonly files: readonly string[], readonly json: boolean }

const listCommand: CommandModule<object, ListArguments> = {
  command: 'list',
  describe: 'List the presets',
  builder: yargs => yargs
    .option('json', { type: 'boolean', default: false, describe: 'As JSON, with all that each says' })
    .example('$0 nat list', 'the NATs that have a name here'),
  handler: ({ json }) => {
    console.log(json ? JSON.stringify(PRESETS, null, 2) : columns(PRESETS.map(({ name, title }) => [name, title])).join('\n'))
  },
}

const showCommand: CommandModule<object, ShowArguments> = {
  command: 'show <nat>',
  describe: 'Print a NAT as a file: each choice, what it means, and the RFC that speaks of it',
  builder: yargs => yargs
    .positional('nat', { type: 'string', demandOption: true, describe: 'A preset by name, or a YAML file' })
    .option('all', { type: 'boolean', default: false, describe: 'The choices too that are left as the RFCs recommend' })
    .option('json', { type: 'boolean', default: false, describe: 'Every choice as JSON' })
    .example('$0 nat show symmetric > my.yaml', 'a file to begin with')
    .example('$0 nat show ./my.yaml --all', 'all that it amounts to'),
  handler: ({ nat, all, json }) => {
    const named = natNamed(nat)
    console.log(json ? JSON.stringify({ name: named.name, ...(named.observed === undefined ? {} : { observed: named.observed }), nat: behaviourOf(named) }, null, 2)
      : natLines(named, all).join('\n'))
  },
}

const checkCommand: CommandModule<object, CheckArguments> = {
  command: 'check <files..>',
  describe: 'Check files that describe NATs, as far as can be told without a router',
  builder: yargs => yargs
    .positional('files', { type: 'string', array: true, demandOption: true, describe: 'YAML files' })
    .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
    .example('$0 nat check speedport.yaml', 'errors name the file and the field; the exit code is 1 then'),
  handler: ({ files, json }) => {
    const results = files.map(file => ({ file, error: errorOf(file) }))
    if (json) console.log(JSON.stringify(results, null, 2))
    else for (const { file, error } of results) console.log(error === null ? `✓ ${file}` : `✗ ${error}`)
    process.exitCode = results.some(({ error }) => error !== null) ? 1 : 0
  },
}

function errorOf(file: string): string | null {
  try {
    natNamed(file)
    return null
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
  }
}

export const natCommand: CommandModule = {
  command: 'nat',
  describe: 'Known NATs, and files that describe others',
  builder: yargs => yargs
    .command(listCommand).command(showCommand).command(checkCommand).command(natGetCommand).command(natSetCommand)
    .demandCommand(1, 'Which one? They are listed above.')
    .example('$0 nat set 104b symmetric', 'a router that runs is symmetric from now on')
    .example('$0 nat show linux-masquerade', 'what Linux does, choice by choice'),
  handler: () => undefined,
}
