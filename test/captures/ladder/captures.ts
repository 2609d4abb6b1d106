// The captures of a golden's folder by interface, whichever way it keeps them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CaptureStream, type InterfacePacket } from '../../../captures/index.js'

export async function readCaptures(folder: string): Promise<Map<string, InterfacePacket[]>> {
  const captures = new Map<string, InterfacePacket[]>()
  for (const file of readdirSync(folder).filter(name => /\.pcap(ng)?$/.test(name))) {
    const stream = await CaptureStream.open(join(folder, file))
    for await (const batch of stream.batches()) {
      for (const packet of batch) {
        const name = packet.interface.name || file.replace(/\.pcap(ng)?$/, '')
        captures.set(name, [...captures.get(name) ?? [], packet])
      }
    }
  }
  return captures
}
