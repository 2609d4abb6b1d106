// Types of the package `pcap-parser`, which brings none. Only what is used here and in the tests.
declare module 'pcap-parser' {
  import type { EventEmitter } from 'node:events'

  export interface FileHeader {
    readonly snapshotLength: number
    readonly linkLayerType: number
  }

  export interface ParsedPacket {
    readonly header: {
      readonly timestampSeconds: number
      readonly timestampMicroseconds: number
      readonly capturedLength: number
      readonly originalLength: number
    }
    readonly data: Buffer
  }

  interface Parser extends EventEmitter {
    on(event: 'globalHeader', listener: (header: FileHeader) => void): this
    on(event: 'packet', listener: (packet: ParsedPacket) => void): this
  }

  /** What it asks of a stream, which gives it 'data'. */
  interface ParserStream {
    on(event: string, listener: (bytes: Buffer) => void): unknown
    pause(): unknown
    resume(): unknown
  }

  const parser: { parse(stream: ParserStream): Parser }
  export default parser
}
