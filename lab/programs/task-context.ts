// What a task on a bench has around it (endpoint-process.ts): whoever runs the bench is at the other end.
import { once } from 'node:events'
import type { Interface } from 'node:readline'
import { EndpointError } from '../../endpoints/errors.js'
import { wallClock, type Apparatus, type OnEvent } from '../../endpoints/events.js'

export interface TaskContext {
  /** Standard input, line by line. */
  readonly input: Interface
  /** The lines behind the task's own. */
  readonly lines: AsyncIterator<unknown>
  /** Resolves when the program is to end. */
  readonly stopped: Promise<unknown>
  readonly print: OnEvent
}

/** Resolves when another line comes on standard input, or none will. */
export const told = (input: Interface, stopped: Promise<unknown>): Promise<unknown> => Promise.race([once(input, 'line'), once(input, 'close'), stopped])

/** @throws what is no error of an endpoint */
export function tell(error: unknown, apparatus: Apparatus, print: OnEvent): void {
  if (!(error instanceof EndpointError)) throw error
  print({ time: wallClock(), apparatus, event: 'error', reason: error.reason, message: error.message })
}
