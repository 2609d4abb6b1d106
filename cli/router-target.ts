// Which router a command speaks to: one of a standing bench by name, or any by the path of its control socket.
import type { Argv } from 'yargs'
import { attach } from '../lab/bench/open.js'
import { RouterClient } from '../napt/control/client.js'

export interface RouterTarget { readonly router: string, readonly bench: string | undefined }

export const routerTarget = <T>(yargs: Argv<T>): Argv<T & RouterTarget> => yargs
  .positional('router', { type: 'string', demandOption: true, describe: 'A router of a standing bench, or the path of a control socket' })
  .option('bench', { type: 'string', describe: 'Name of the bench, when several stand' })

/** @throws BenchError when no such router stands; ControlError when nothing answers */
export function connectTo({ router, bench }: RouterTarget): Promise<RouterClient> {
  return RouterClient.connect(router.includes('/') ? router : attach(bench).controlSocket(router))
}

/** Connects for one piece of work. */
export async function withRouter<T>(target: RouterTarget, work: (client: RouterClient) => Promise<T>): Promise<T> {
  const client = await connectTo(target)
  try {
    return await work(client)
  } finally {
    client.close()
  }
}
