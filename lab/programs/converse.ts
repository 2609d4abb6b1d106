// What an issuer on a bench sends on its connection (issuer-task.ts, relayed-tasks.ts).
import type { Connection } from '../../endpoints/connection.js'
import { EndpointError } from '../../endpoints/errors.js'
import type { Session } from '../../endpoints/transfer.js'

export interface Conversation {
  readonly lines: readonly string[]
  /** Paths. */
  readonly files: readonly string[]
  /** Breaks it off. */
  readonly stopped: Promise<unknown>
}

/** Sends lines and files, and closes. @throws EndpointError when the session is lost */
export async function converse({ channel }: Connection, session: Session, { lines, files, stopped }: Conversation): Promise<void> {
  void stopped.then(() => channel.reset())
  for (const text of lines) await session.sendLine(text)
  for (const path of files) await session.sendFile(path)
  const { outcome, message } = await session.close()
  if (outcome === 'lost') throw new EndpointError('connection-lost', `the session was lost: ${message}`, '')
}
