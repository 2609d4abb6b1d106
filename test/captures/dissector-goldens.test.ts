// The Wireshark dissector over the goldens: the same messages with the same values as our decoder finds, encrypted ones too.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import { canonicalize, CaptureStream, decodePayload, goldenFolder, KEY_LOG_FILE, KeyLog, type InterfacePacket, type Message } from '../../captures/index.js'
import { ANY_FIELD, DEFINITIONS, labelOf } from '../../endpoints/message/index.js'
import { needsTsharkWithLua } from '../prerequisites.js'
import { KEYS, masked, nameOf, tshark, written } from './dissector-support.js'

const PCAP = /\.pcap(ng)?$/
const CERTIFICATES = new Set(['certificate request', 'certificate', 'CA certificate'])

for (const name of ['fig2-none', 'fig2', 'fig2-tls1.2-dhe', 'fig2-ssl3-dhe', 'fig13', 'relay-login']) {
  t.test(`the golden ${name}: each message and value as our decoder has it`, needsTsharkWithLua, async t => {
    const folder = goldenFolder(name)
    let compared = 0
    for (const file of readdirSync(folder).filter(file => PCAP.test(file))) {
      const stream = await CaptureStream.open(join(folder, file))
      const sides = new Map<string, InterfacePacket[]>()
      for await (const batch of stream.batches()) {
        for (const packet of batch) {
          const { name: own } = packet.interface, side = own === '' ? basename(file).replace(PCAP, '') : own
          if (/-[lw]an$/.test(side)) continue // a router's copies; each start of tshark takes its time
          const packets = sides.get(side) ?? []
          packets.push(packet)
          sides.set(side, packets)
        }
      }
      const beside = join(folder, KEY_LOG_FILE), log = stream.keyLog !== '' ? stream.keyLog : existsSync(beside) ? readFileSync(beside, 'utf8') : ''
      const keys = new KeyLog(KEY_LOG_FILE)
      keys.add(log)
      for (const [side, packets] of sides) {
        const ours: Message[] = []
        canonicalize(packets.map((packet, at) => ({ ...packet, number: at + 1 })), {
          keys,
          decoder: (...given) => {
            const message = decodePayload(...given)
            if (message !== null) ours.push(message)
            return message
          },
        })
        const capture = written(t, packets), keyFile = join(dirname(capture), KEY_LOG_FILE)
        writeFileSync(keyFile, log)
        const rows = tshark(capture, '-o', `tls.keylog_file:${keyFile}`)
        const theirs = rows.flatMap(row => row['naptlab.type'].map(type => DEFINITIONS.find(definition => definition.type === Number(type))!).map(({ name }) => labelOf(name)))
        t.same(theirs.sort(), ours.map(({ number, name }) => number === null ? name : `${number} ${name}`).sort(), `${file} ${side}: messages`)
        for (const key of KEYS) {
          const title = ANY_FIELD[key].title
          const digest = (text: string): string => CERTIFICATES.has(title) ? createHash('sha256').update(Buffer.from(text, 'hex')).digest('hex') : text
          const wanted = ours.flatMap(({ fields }) => fields.filter(field => field.name === title && field.length > 0).map(field =>
            field.secret === true ? masked(field.length) : field.value === 'set' ? '1' : field.value === 'not set' ? '0' : String(field.value)))
          t.same(rows.flatMap(row => row[nameOf(key)]).map(digest).sort(), wanted.sort(), `${file} ${side}: ${title}`)
        }
        t.same(rows.flatMap(row => row['_ws.expert.message']).filter(text => text.includes('(byte')), [], `${file} ${side}: nothing malformed`)
        compared += ours.length
      }
    }
    t.ok(compared > 15, `${compared} messages compared`)
  })
}
