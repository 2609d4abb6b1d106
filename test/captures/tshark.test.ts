// The same captures through tshark, with all its checksum validation on: another program's opinion of files and fields.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decode, encodePcap, type PcapFormat } from '../../captures/index.js'
import { needsTshark } from '../prerequisites.js'
import { framesOf } from './support.js'

const VALIDATE = ['ip', 'udp', 'tcp'].flatMap(protocol => ['-o', `${protocol}.check_checksum:TRUE`])
const FIELDS = ['frame.time_epoch', 'ip.src', 'ip.dst', 'ip.ttl', 'ip.id', 'udp.srcport', 'udp.dstport', 'tcp.srcport', 'tcp.dstport', 'tcp.flags', 'ip.checksum.status', 'udp.checksum.status', 'tcp.checksum.status']

const tshark = (file: string): string[][] => execFileSync('tshark', ['-r', file, ...VALIDATE, '-T', 'fields', ...FIELDS.flatMap(field => ['-e', field])],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trimEnd().split('\n').map(line => line.split('\t'))

t.test('tshark reads what we write, and decodes it to the same', needsTshark, async t => {
  const packets = [...framesOf().values()].flat().map(({ time, bytes }) => ({ time, bytes, originalLength: bytes.length }))
  const formats: PcapFormat[] = [{ byteOrder: 'little', resolution: 'nanoseconds' }, { byteOrder: 'big', resolution: 'microseconds' }]
  for (const format of formats) {
    const file = join(t.testdir(), 'a.pcap')
    writeFileSync(file, encodePcap(packets, format))
    const rows = tshark(file)
    t.equal(rows.length, packets.length)
    t.same(rows, packets.map(({ time, bytes }) => {
      const { layers } = decode(bytes)
      const value = (protocol: string, name: string): string => String(layers.find(layer => layer.protocol === protocol)?.fields.find(field => field.name === name)?.value ?? '')
      const status = (protocol: string): string => layers.some(layer => layer.protocol === protocol) ? '1' : '' // 1: good
      const hex = (text: string, digits: number): string => text === '' ? '' : `0x${Number(text).toString(16).padStart(digits, '0')}`
      return [
        `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`,
        value('ipv4', 'SA'), value('ipv4', 'DA'), value('ipv4', 'TTL'), hex(value('ipv4', 'identification'), 4),
        value('udp', 'SP'), value('udp', 'DP'), value('tcp', 'SP'), value('tcp', 'DP'), hex(value('tcp', 'flags'), 4),
        status('ipv4'), status('udp'), status('tcp'),
      ]
    }))
  }
})

t.test('a checksum that tshark calls bad is one that we call wrong', needsTshark, async t => {
  const file = join(t.testdir(), 'bad.pcap')
  const packets = (framesOf().get('103') ?? []).map(({ time, bytes }, at) => {
    bytes[bytes.length - 1] ^= at % 2 // every second one
    return { time, bytes, originalLength: bytes.length }
  })
  writeFileSync(file, encodePcap(packets))
  const good = tshark(file).map(row => row[11] !== '0' && row[12] !== '0' && row[10] !== '0')
  t.same(good, packets.map(({ bytes }) => decode(bytes).layers.every(layer => layer.checksum !== 'wrong')))
  t.ok(good.includes(false) && good.includes(true))
})
