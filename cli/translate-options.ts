// The options that say which router a capture is put through, and where its sides are: of `translate` and of `explain --nat`.
import type { Argv } from 'yargs'
import type { RouterOptions } from '../lab/translate/translate.js'
import { parseIpv4, parsePrefix } from '../napt/wire/address.js'
import { UsageError } from './errors.js'

export interface RouterArguments {
  readonly lan: string | undefined
  readonly 'lan-address': string | undefined
  readonly 'wan-address': string | undefined
  readonly answers: boolean | undefined
  readonly router: string | undefined
  readonly name: string
  readonly seed: number
}

export const routerOptions = <T>(yargs: Argv<T>): Argv<T & RouterArguments> => yargs
  .option('lan', { type: 'string', requiresArg: true, describe: 'The LAN\'s network, such as 192.168.1.0/24 (default: the range of the first private address)' })
  .option('lan-address', { type: 'string', requiresArg: true, describe: 'The router\'s address there (default: the network\'s last)' })
  .option('wan-address', { type: 'string', requiresArg: true, describe: 'The router\'s address on the WAN (default: as the files show it, else 203.0.113.1)' })
  .option('answers', { type: 'boolean', describe: 'Turn packets that LAN hosts received back into what came from the WAN (default: where no WAN side is given)' })
  .option('router', { type: 'string', requiresArg: true, describe: 'Of a file with several routers: whose interfaces are taken, such as 104b' })
  .option('name', { type: 'string', default: 'NAT', requiresArg: true, describe: 'What the router is called' })
  .option('seed', { type: 'number', default: 1, requiresArg: true, describe: 'Where random choices begin: the same seed, the same packets' })

/** @throws UsageError, AddressError */
export function routerOptionsOf(args: RouterArguments): Omit<RouterOptions, 'nat'> {
  const { seed, name, lan, answers, router, 'lan-address': lanAddress, 'wan-address': wanAddress } = args
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) throw new UsageError(`--seed is a whole number of 0 to ${2 ** 32 - 1}`)
  return {
    name, seed,
    ...(lan === undefined ? {} : { lan: parsePrefix(lan) }),
    ...(lanAddress === undefined ? {} : { lanAddress: parseIpv4(lanAddress) }),
    ...(wanAddress === undefined ? {} : { wanAddress: parseIpv4(wanAddress) }),
    ...(answers === undefined ? {} : { answers }),
    ...(router === undefined ? {} : { router }),
  }
}
