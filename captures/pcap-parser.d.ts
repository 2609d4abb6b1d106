// Types of the package `pcap-parser`, which brings none. Only what captures/pcap-reader.ts uses.
declare module 'pcap-parser' {
  import type { EventEmitter } from 'node:events'
  import type { Readable } from 'node:stream'

  interface PacketHeader {
    readonly timestampSeconds: number
    /** The second word of the time, in the file's own unit: nanoseconds where the file's magic says so. */
    readonly timestampMicroseconds: number
    readonly capturedLength: number
    readonly originalLength: number
  }

  interface Parser extends EventEmitter {
    on(event: 'packet', listener: (packet: { header: PacketHeader, data: Buffer }) => void): this
    on(event: 'end', listener: () => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }

  const parser: { parse(input: Readable): Parser }
  export default parser
}
