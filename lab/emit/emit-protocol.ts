// What the emitter (emit-process.ts) says on its standard output.
export interface Emitted {
  /** Bytes of the IP packet that the kernel took. */
  readonly sent: number
  /** The frame as it came to the receiver, base64; null where nobody was to watch. */
  readonly received: string | null
}
