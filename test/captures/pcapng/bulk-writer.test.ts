// The writer for millions of packets: what is flushed on the way is in the file once, and readable before it is closed.
import t from 'tap'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { BulkPcapngWriter } from '../../../captures/files/pcapng/bulk-writer.js'
import { readCaptureFile } from '../../../captures/files/read-capture.js'
import { LINK_TYPE } from '../../../captures/decode/link-layer.js'

t.test('flushed after every packet', async t => {
  const path = join(t.testdir(), 'out.pcapng'), early = `${path}.early`, writer = await BulkPcapngWriter.open(path)
  const id = writer.interface({ name: 'lan', description: '', linkType: LINK_TYPE.ethernet, snapLength: 0 })
  const packets = Array.from({ length: 40 }, (_, i) => new Uint8Array(60 + i).fill(i + 1))
  for (const [i, bytes] of packets.entries()) {
    writer.begin(id, 0, i, bytes, 0, bytes.length, bytes.length)
    writer.end('inbound', i + 1, null)
    writer.flush()
    writer.flush()
    await writer.ready()
  }
  const written = async (file: string): Promise<number[][]> => (await readCaptureFile(file)).packets.map(({ bytes }) => [...bytes])
  copyFileSync(`${path}.part`, early)
  const before = await written(early)
  t.same(before, packets.slice(0, before.length).map(bytes => [...bytes]), 'whatever is there already is whole, and in order')
  await writer.close()
  t.same(await written(path), packets.map(bytes => [...bytes]), 'each packet once')
})
