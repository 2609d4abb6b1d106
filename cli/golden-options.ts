// The options that the subcommands of `naptlab golden` share.
import type { Argv } from 'yargs'
import { parsePort } from './options.js'

export interface CaptureArguments {
  readonly captures: readonly string[]
  readonly as: readonly string[]
  readonly keys: string | undefined
}

export const captureOptions = <T>(yargs: Argv<T>): Argv<T & CaptureArguments> => yargs
  .positional('captures', { type: 'string', array: true, default: [] as string[], describe: 'Capture files: pcapng with its interfaces, or pcap named by its interface' })
  .option('as', { type: 'string', array: true, default: [] as string[], requiresArg: true, describe: 'A file that shows one interface, by another name: INTERFACE=FILE' })
  .option('keys', { type: 'string', requiresArg: true, describe: 'The key log that opens TLS connections (default: what the captures hold, and keys.log beside them)' })

export interface FreedomArguments {
  readonly port: readonly number[]
  readonly periodic: readonly string[]
  readonly 'both-ways': readonly number[]
}

/** What of the traffic is free to differ. */
export const freedomOptions = <T>(yargs: Argv<T>): Argv<T & FreedomArguments> => yargs
  .option('port', { type: 'number', array: true, default: [] as number[], requiresArg: true, describe: 'A port that is compared although kernels choose theirs there (32768 to 60999)' })
  .option('periodic', { type: 'string', array: true, default: [] as string[], requiresArg: true, describe: 'A message that a timer repeats, by its number: how often is not compared' })
  .option('both-ways', { type: 'number', array: true, default: [] as number[], requiresArg: true, describe: 'A TCP port on which both ends speak when they like: no order between them' })

export const freedomOf = ({ port, periodic, 'both-ways': bothWays }: FreedomArguments): { ports: number[], periodic: readonly string[], bothWays: number[] } =>
  ({ ports: port.map(each => parsePort(each)), periodic: periodic.map(String), bothWays: bothWays.map(each => parsePort(each)) })

export const keysOf = ({ keys }: { readonly keys: string | undefined }): { readonly keyLog?: string } => keys === undefined ? {} : { keyLog: keys }
