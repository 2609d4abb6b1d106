// A capture file by interface: several in one file, names, numbers, keys within, damage, pcap.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encodePcap, PcapngWriter, readByInterface, readCaptures } from '../../captures/index.js'
import { udp } from '../napt/frames.js'

const FRAME = udp('192.168.1.3:2000', '130.74.23.6:1200', 'hello')
const KEYS = `CLIENT_RANDOM ${'01'.repeat(32)} ${'02'.repeat(48)}\n`

/** Two interfaces, of which the second is silent, and a third without a name. */
function write(path: string): void {
  const writer = new PcapngWriter(path)
  for (const name of ['104b-lan', '104b-wan', '']) writer.interface({ name, description: '', linkType: 1, snapLength: 0 })
  writer.secrets(KEYS)
  for (const [time, interfaceId] of [[1n, 0], [2n, 2], [3n, 0]] as const) writer.packet(FRAME, { interfaceId, time })
  writer.close()
}

t.test('packets by interface, with their numbers in the file', async t => {
  const path = join(t.testdir(), 'run.pcapng')
  write(path)
  const { captures, keys } = await readByInterface(path)
  t.same([...captures].map(([name, { packets }]) => [name, packets.map(({ number }) => number)]), [['104b-lan', [1, 3]], ['104b-wan', []], ['run-2', [2]]])
  t.equal(captures.get('104b-lan')?.damage, null)
  t.same(Buffer.from(keys.secret('CLIENT_RANDOM', new Uint8Array(32).fill(1)) ?? []).toString('hex'), '02'.repeat(48))
})

t.test('a file cut short gives what came before, and the damage at each interface', async t => {
  const path = join(t.testdir(), 'run.pcapng')
  write(path)
  const whole = readFileSync(path)
  writeFileSync(path, whole.subarray(0, whole.length - 5))
  const captures = await readCaptures(path)
  t.same([...captures.values()].map(({ packets }) => packets.length), [1, 0, 1])
  for (const [name, { damage }] of captures) t.match(damage?.message, /run\.pcapng: at byte \d+: the file ends \d+ bytes into a block/, name)
  writeFileSync(path, whole.subarray(0, 20))
  await t.rejects(readCaptures(path), { name: 'CaptureFileError', message: /run\.pcapng/ })
})

t.test('a pcap file is of the interface that its name says', async t => {
  const path = join(t.testdir(), '104b-lan.pcap')
  writeFileSync(path, encodePcap([{ time: 1n, bytes: FRAME, originalLength: FRAME.length }]))
  const captures = await readCaptures(path)
  t.same([...captures.keys()], ['104b-lan'])
  t.same(captures.get('104b-lan')?.packets.map(({ bytes }) => Buffer.from(bytes)), [Buffer.from(FRAME)])
})

t.test('secrets that are no key log are told', async t => {
  const path = join(t.testdir(), 'run.pcapng'), writer = new PcapngWriter(path)
  writer.interface({ name: '101', description: '', linkType: 1, snapLength: 0 })
  writer.secrets('not a line of one\n')
  writer.close()
  await t.rejects(readByInterface(path), { name: 'KeyLogError', message: /run\.pcapng, line 1/ })
})
