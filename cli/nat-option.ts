// The option --nat ROUTER=PRESET|FILE of commands that bring up a bench.
import type { Argv } from 'yargs'
import type { BenchDescription } from '../lab/bench/bench.js'
import { natNamed, replaceNat } from '../lab/read-nat.js'
import { UsageError } from './errors.js'

export const natOption = <T>(yargs: Argv<T>): Argv<T & { nat: string[] }> => yargs.option('nat', {
  type: 'string', array: true, nargs: 1, default: [] as string[],
  describe: 'ROUTER=PRESET or ROUTER=FILE: that router behaves so (naptlab nat list). Its static mappings, addresses, port allocation and first '
    + 'ports stay the bench\'s where the new NAT says nothing of them, since they give the ports of the figures',
})

/** @throws UsageError, BenchError, ConfigError when it is not ROUTER=NAT, or one of the two is not there or wrong */
export function withNats(description: BenchDescription, nats: readonly string[]): BenchDescription {
  return nats.reduce((changed, text) => {
    const at = text.indexOf('=')
    if (at < 1 || at === text.length - 1) throw new UsageError(`--nat ${text}: ROUTER=PRESET or ROUTER=FILE is wanted, such as 104b=symmetric`)
    return replaceNat(changed, text.slice(0, at), natNamed(text.slice(at + 1)))
  }, description)
}
