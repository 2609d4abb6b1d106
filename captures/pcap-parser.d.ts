// Types of the package `pcap-parser`, which brings none. Only what captures/pcap-decoder.ts uses.
declare module 'pcap-parser' {
  import type { EventEmitter } from 'node:events'

  interface PacketHeader {
    readonly timestampSeconds: number
    /** The second word of the time, in the file's own unit: nanoseconds where the file's magic says so. */
    readonly timestampMicroseconds: number
    readonly capturedLength: number
    readonly originalLength: number
  }

  /** What the parser asks of the bytes that a stream gives it: a part of what a Buffer has. */
  export interface ParserBytes {
    readonly length: number
    toString(encoding: 'hex', from: number, to: number): string
    readUInt16LE(at: number): number
    readUInt16BE(at: number): number
    readUInt32LE(at: number): number
    readUInt32BE(at: number): number
    readInt32LE(at: number): number
    readInt32BE(at: number): number
    /** What is behind the first bytes: with that it goes on. */
    slice(from: number): ParserBytes
    /** A packet. */
    slice(from: 0, to: number): Uint8Array
  }

  /** What it asks of a stream, which gives it 'data'; with null it goes on with the bytes that it has. */
  interface ParserStream {
    on(event: string, listener: (bytes: ParserBytes | null) => void): unknown
    pause(): unknown
    resume(): unknown
  }

  interface Parser extends EventEmitter {
    on(event: 'packet', listener: (packet: { header: PacketHeader, data: Uint8Array }) => void): this
  }

  const parser: { parse(stream: ParserStream): Parser }
  export default parser
}
