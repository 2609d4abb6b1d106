// The package `cap` has no types of its own. What is declared here is what the project uses.
declare module 'cap' {
  import type { EventEmitter } from 'node:events'

  type CapConstructor = new () => Cap

  interface Cap extends EventEmitter {
    /** Opens an interface; every frame is put into `buffer` and announced by 'packet' (length, truncated). Returns the link type. */
    open(device: string, filter: string, bufferSize: number, buffer: Buffer): string
    setMinBytes?(bytes: number): void
    send(buffer: Buffer, length: number): boolean
    close(): boolean
  }

  const cap: { readonly Cap: CapConstructor }
  export default cap
}
