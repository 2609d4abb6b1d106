// A whole capture file in memory, of either format; see capture-stream.ts for one that may be too big for that.
import { CaptureStream } from './capture-stream.js'
import type { CaptureFileError } from './pcap.js'
import type { CaptureInterface, InterfacePacket } from './pcapng/format.js'
import type { Ipv4Address } from '../../napt/wire/address.js'

/** Packets of one file, as checks take them: all of it, or those of one of its interfaces. */
export interface Capture {
  /** As the caller named it; for messages. */
  readonly file: string
  readonly packets: readonly InterfacePacket[]
  /** What stopped the reading before the end of the file; the packets before it are there. */
  readonly damage: CaptureFileError | null
}

/** A whole file. */
export interface FileCapture extends Capture {
  readonly format: 'pcap' | 'pcapng'
  readonly interfaces: readonly CaptureInterface[]
  readonly names: ReadonlyMap<Ipv4Address, string>
  /** Lines of an NSS key log; empty when the file has none. */
  readonly keyLog: string
}

/**
 * @throws CaptureFileError when the file is not a capture at all, or cannot be read. A file that is one as far as it goes gives its
 * packets, and `damage`.
 */
export async function readCaptureFile(path: string): Promise<FileCapture> {
  return readAll(await CaptureStream.open(path))
}

/** As `readCaptureFile`, from memory. `bytes` is left alone and not kept. */
export async function readCaptureBytes(bytes: Uint8Array, file = 'capture'): Promise<FileCapture> {
  return readAll(await CaptureStream.of(once(new Uint8Array(bytes)), file, bytes.length))
}

async function readAll(stream: CaptureStream): Promise<FileCapture> {
  const batches: (readonly InterfacePacket[])[] = []
  for await (const batch of stream.batches()) batches.push(batch)
  const { file, format, interfaces, names, keyLog, damage } = stream
  return { file, format, packets: batches.flat(), interfaces, names, keyLog, damage }
}

// A generator, for a stream of it would need a Buffer.
async function * once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}
