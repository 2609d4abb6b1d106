// naptlab relay: the log-in relay (JP 2002-217942) as programs: its server, a terminal with an application beside it, its users.
import { HOLD_INTERVAL, HOLD_LIFETIME, LOGIN_RELAY_PORT, addUser, forwardTo, readUsers, removeUser, startLoginRelay, startTerminal, toTarget } from '../../endpoints/index.js'
import { stopSignal, untilAborted } from '../stop-signal.js'
import { clientChannel, clientEncryption, serverChannel, serverEncryption } from '../encryption-options.js'
import { UsageError } from '../errors.js'
import { parseDuration, parseLocalPort, parsePeer, parsePort, readPassword } from '../options.js'
import { printFailure, printer } from '../output.js'
import { newPassword } from '../secrets.js'
import type { CommandModule, InferredOptionTypes, Options } from 'yargs'

const serverOptions = {
  users: { type: 'string', demandOption: true, describe: 'file that `relay user add` made' },
  address: { type: 'string', describe: 'address of this machine to serve at; all when absent' },
  port: { type: 'number', default: LOGIN_RELAY_PORT, coerce: parseLocalPort, describe: 'TCP port; 0 for any' },
  lifetime: { type: 'string', default: `${HOLD_LIFETIME / 1000}s`, coerce: parseDuration, describe: 'of a connection without hold messages' },
  ...serverEncryption,
  json: { type: 'boolean', default: false, describe: 'one JSON object a line' },
} as const satisfies Record<string, Options>

const serverCommand: CommandModule<object, InferredOptionTypes<typeof serverOptions>> = {
  command: 'server',
  describe: 'Run the relay server (4) until SIGINT or SIGTERM',
  builder: yargs => yargs.options(serverOptions).example('$0 relay server --users users --certificate 4.pem --key 4.key', 'serve those in the file'),
  async handler({ users, address, port, lifetime, json, ...encryption }) {
    const print = printer(json), openChannel = serverChannel(encryption), stop = stopSignal()
    try {
      const relay = await startLoginRelay({ users, port, lifetime, openChannel, onEvent: print, ...(address === undefined ? {} : { address }) })
      await untilAborted(stop)
      await relay.close()
    } catch (error) {
      printFailure(print, '4', error)
    }
  },
}

const connectOptions = {
  user: { type: 'string', demandOption: true, describe: 'user ID to log in with' },
  server: { type: 'string', demandOption: true, describe: 'address of the relay server' },
  'server-port': { type: 'number', default: LOGIN_RELAY_PORT, coerce: parsePort, describe: 'its TCP port' },
  'password-file': { type: 'string', describe: 'file with the password; else NAPTLAB_PASSWORD is read' },
  to: { type: 'string', describe: 'user whose application --listen stands for' },
  listen: { type: 'number', coerce: parseLocalPort, describe: 'local port that clients connect to; 0 for any' },
  'listen-address': { type: 'string', default: '127.0.0.1', describe: 'address of that port' },
  target: { type: 'string', coerce: parsePeer, describe: 'ADDRESS:PORT of the application that others may reach' },
  allow: { type: 'string', array: true, nargs: 1, describe: 'user who may reach it; repeatable; all when absent' },
  spare: { type: 'number', default: 1, describe: 'connections kept vacant; 0 leaves (10) to (14) out' },
  interval: { type: 'string', default: `${HOLD_INTERVAL / 1000}s`, coerce: parseDuration, describe: 'between hold messages' },
  list: { type: 'boolean', default: false, describe: 'print who is logged in, and end' },
  ...clientEncryption,
  json: { type: 'boolean', default: false, describe: 'one JSON object a line' },
} as const satisfies Record<string, Options>

const connectCommand: CommandModule<object, InferredOptionTypes<typeof connectOptions>> = {
  command: 'connect',
  describe: 'Log in, and connect applications on either side of the relay',
  builder: yargs => yargs.options(connectOptions)
    .example('$0 relay connect --user bob --server 130.74.23.6 --ca ca.pem --target 127.0.0.1:22', 'let others reach the sshd here')
    .example('$0 relay connect --user alice --server 130.74.23.6 --ca ca.pem --to bob --listen 2222', 'then: ssh -p 2222 127.0.0.1')
    .example('$0 relay connect --user alice --server 130.74.23.6 --ca ca.pem --list', 'who is logged in'),
  async handler({ user, server, serverPort, passwordFile, to, listen, listenAddress, target, allow, spare, interval, list, json, ...encryption }) {
    if ((to === undefined) !== (listen === undefined)) throw new UsageError('--listen and --to belong together: the port, and the user whose application it stands for.')
    if (to === undefined && target === undefined && !list) throw new UsageError('give --target, or --listen with --to, or --list.')
    if (allow !== undefined && target === undefined) throw new UsageError('--allow is about the application of --target.')
    if (!Number.isInteger(spare) || spare < 0 || spare > 30) throw new UsageError(`--spare is ${spare}, not a whole number from 0 to 30.`)
    const print = printer(json), stop = stopSignal(), apparatus = target !== undefined && to === undefined ? '21' : '11'
    const password = readPassword(passwordFile, process.env, 'a log-in', '')
    const openChannel = clientChannel(encryption, server)
    try {
      const terminal = await startTerminal({
        userId: user, password, server: { address: server, port: serverPort }, spare: list ? 0 : spare, interval, apparatus, signal: stop, openChannel, onEvent: print,
        ...(target === undefined ? {} : { onDemand: toTarget({ target, ...(allow === undefined ? {} : { allow }) }) }),
      })
      if (list) {
        await terminal.users()
      } else {
        const forwarder = to === undefined ? null : await forwardTo({ terminal, to, listen: { address: listenAddress, port: listen ?? 0 }, onEvent: print })
        await Promise.race([untilAborted(stop), terminal.ended])
        await forwarder?.close()
      }
      await terminal.close()
      const refused = await terminal.ended
      if (refused) throw refused
    } catch (error) {
      printFailure(print, apparatus, error)
    }
  },
}

interface UserArguments { readonly file: string, readonly user: string }

const addCommand: CommandModule<object, UserArguments> = {
  command: 'add <file> <user>',
  describe: 'Add a user; the password is asked for, or is one line of standard input',
  builder: yargs => yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'The user file; made if need be, with mode 600' })
    .positional('user', { type: 'string', demandOption: true, describe: 'User ID' })
    .example('$0 relay user add users alice', 'asks for the password twice')
    .example('pwgen 20 1 | $0 relay user add users bob', 'takes it from a program'),
  handler: async ({ file, user }) => {
    await addUser(file, user, await newPassword())
  },
}

const removeCommand: CommandModule<object, UserArguments> = {
  command: 'remove <file> <user>',
  describe: 'Remove a user; who is logged in stays so until the log-out',
  builder: yargs => yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'The user file' })
    .positional('user', { type: 'string', demandOption: true, describe: 'User ID' }),
  handler: async ({ file, user }) => {
    await removeUser(file, user)
  },
}

const listCommand: CommandModule<object, { readonly file: string, readonly json: boolean }> = {
  command: 'list <file>',
  describe: 'List the users, without their hashes',
  builder: yargs => yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'The user file' })
    .option('json', { type: 'boolean', default: false, describe: 'As JSON' }),
  handler: async ({ file, json }) => {
    const names = (await readUsers(file)).map(({ userId }) => userId)
    console.log(json ? JSON.stringify(names) : names.join('\n'))
  },
}

const userCommand: CommandModule = {
  command: 'user',
  describe: 'Who may log in',
  builder: yargs => yargs.command(addCommand).command(listCommand).command(removeCommand).demandCommand(1, 'Which: add, list or remove?'),
  handler: () => undefined,
}

export const relayCommand: CommandModule = {
  command: 'relay',
  describe: 'The log-in relay: server, terminals with applications beside them, users',
  builder: yargs => yargs.command(serverCommand).command(connectCommand).command(userCommand).demandCommand(1, 'Which: server, connect or user?')
    .example('$0 relay user add users alice', 'who may log in; asks for the password')
    .example('$0 relay server --users users', 'the relay server')
    .example('$0 relay connect --help', 'a terminal, with an application or its clients beside it'),
  handler: () => undefined,
}
