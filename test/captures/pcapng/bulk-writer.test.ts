// The writer for millions of packets: what is flushed on the way is in the file once, and readable before it is closed; and the bytes are
// those of the writer that makes every block by itself, however much is written at once.
import t from 'tap'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BulkPcapngWriter } from '../../../captures/files/pcapng/bulk-writer.js'
import { PcapngWriter } from '../../../captures/files/pcapng/writer.js'
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

t.test('as the other writer has it: millions of bytes at once, in memory that was used before', async t => {
  const folder = t.testdir(), one = new PcapngWriter(join(folder, 'one.pcapng')), bulk = await BulkPcapngWriter.open(join(folder, 'bulk.pcapng'))
  const description = { name: 'lan', description: 'a LAN', linkType: LINK_TYPE.ethernet, snapLength: 1500 }
  for (const writer of [one, bulk]) writer.interface(description)
  const lent = bulk.lend(1 << 16), own = new Uint8Array(1 << 16)
  for (let i = 0; i < own.length; i++) lent[i] = own[i] = i * 7 + 1
  const arena = new Uint8Array(lent.buffer), heads = Uint8Array.from({ length: 512 }, (_, i) => i * 11 + 5), comments = ['', 'x', 'a comment of several words', 'y'.repeat(70_000)]
  let packets = 0
  // Ten chunks and then some are handed over before any of them can be written; each round is in the memory of those before.
  for (let round = 0; round < 3; round++) {
    for (let bytes = 0; bytes < 11 << 20; packets++) {
      const length = packets % 5 === 0 ? packets % 71 : packets * 13 % 1500, isLent = packets % 3 > 0, start = packets % 1000
      const comment = packets % 50 === 0 ? comments[packets / 50 % comments.length].slice(0, 0xffff) : ''
      const time = BigInt.asUintN(64, BigInt(packets) * 0x9e37_79b9_7f4a_7c15n), direction = packets % 2 === 0 ? 'inbound' : 'outbound', id = packets % 4 === 0 ? 2 ** 32 + packets : packets + 1
      // Of some packets the first bytes are written over; lengths and places are of every alignment.
      const head = packets % 7 === 0 ? Math.min(length, packets % 193) : 0, headAt = packets % 300
      one.packet(Buffer.concat([heads.subarray(headAt, headAt + head), own.subarray(start + head, start + length)]), { interfaceId: 0, time, originalLength: 2000, direction, packetId: BigInt(id), comment })
      const at = isLent ? lent.byteOffset + start : start
      bulk.begin(0, Number(time >> 32n), Number(BigInt.asIntN(32, time)), isLent ? arena : own, at, at + length, 2000)
      if (head > 0) bulk.overwrite(heads, headAt, headAt + head)
      bulk.end(direction, id, comment === '' ? null : Buffer.from(comment))
      bytes += length
    }
    await bulk.ready()
  }
  one.close()
  await bulk.close()
  t.ok(packets > 30_000)
  t.ok(readFileSync(join(folder, 'bulk.pcapng')).equals(readFileSync(join(folder, 'one.pcapng'))), `${packets} packets`)
})
