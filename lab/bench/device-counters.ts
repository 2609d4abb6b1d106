// What the devices of a bench's routers have counted, asked of the routers themselves.
import { ControlError, RouterClient } from '../../napt/control/client.js'
import type { CountersJson } from '../../napt/control/protocol.js'
import type { FoundBench } from './find.js'
import { controlPath } from './protocol.js'

/** Milliseconds for a router to answer. */
const PATIENCE = 1000

/** By router; one that has ended, or does not answer, is left out. */
export async function deviceCountersOf({ pid, record }: FoundBench): Promise<Readonly<Record<string, CountersJson['devices']>>> {
  const running = Object.entries(record?.routers ?? {}).filter(([, { ending }]) => ending === null).map(([name]) => name)
  const answers = await Promise.all(running.map(async name => [name, await ask(`/proc/${pid}/root${controlPath(name)}`)] as const))
  return Object.fromEntries(answers.filter(([, devices]) => devices !== null)) as Record<string, CountersJson['devices']>
}

/** A router of somebody's own may say anything, or nothing. */
async function ask(path: string): Promise<CountersJson['devices'] | null> {
  let client: RouterClient | undefined
  try {
    client = await RouterClient.connect(path)
    const patience = setTimeout(() => client?.close(), PATIENCE)
    const { devices } = await client.request({ op: 'counters' }).finally(() => clearTimeout(patience)) as Partial<CountersJson>
    return devices ?? null
  } catch (error) {
    if (error instanceof ControlError) return null
    throw error
  } finally {
    client?.close()
  }
}
