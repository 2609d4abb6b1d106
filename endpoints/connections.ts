// The TCP connections of a server, and what is being done on them: both end with the server.
import type { Socket } from 'node:net'

export class Connections {
  readonly #open = new Set<Socket>()
  readonly #tasks = new Set<Promise<void>>()

  /** Takes a connection in, until it is closed, and what is done on it, which never rejects. */
  take(socket: Socket, task: Promise<void>): void {
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    this.await(task)
  }

  /** Keeps `end` waiting for a task that nobody else awaits. */
  await(task: Promise<void>): void {
    const awaited = task.finally(() => this.#tasks.delete(awaited))
    this.#tasks.add(awaited)
  }

  /** Breaks every connection off. Resolves when nothing is being done any more. */
  async end(): Promise<void> {
    for (const socket of this.#open) socket.resetAndDestroy()
    await Promise.all(this.#tasks)
  }
}
