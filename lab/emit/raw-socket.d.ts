// The package `raw-socket` has no types of its own. What is declared here is what the project uses.
declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events'

  export interface Socket extends EventEmitter {
    /** `done` gets the bytes that went out. */
    send(buffer: Buffer, offset: number, length: number, address: string, done: (error: Error | null, bytes: number) => void): void
    close(): void
  }

  export function createSocket(options: { protocol: number }): Socket
}
