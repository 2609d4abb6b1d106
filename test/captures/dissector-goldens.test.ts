// The Wireshark dissector over the goldens: the same messages with the same values as our decoder finds, encrypted ones too.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { canonicalize, CaptureStream, decodePayload, goldenCapture, KEY_LOG_FILE, KeyLog, type InterfacePacket, type Message } from '../../captures/index.js'
import { ANY_FIELD, DEFINITIONS, labelOf } from '../../endpoints/message/index.js'
import { needsTsharkWithLua } from '../prerequisites.js'
import { KEYS, masked, nameOf, tshark, written } from './dissector-support.js'

const CERTIFICATES = new Set(['certificate request', 'certificate', 'CA certificate'])

for (const name of ['fig2-none', 'fig2', 'fig2-tls1.2-dhe', 'fig2-ssl3-dhe', 'fig13', 'relay-login']) {
  t.test(`the golden ${name}: each message and value as our decoder has it`, needsTsharkWithLua, async t => {
    const stream = await CaptureStream.open(goldenCapture(name))
    const sides = new Map<string, InterfacePacket[]>()
    for await (const batch of stream.batches()) {
      for (const packet of batch) {
        const side = packet.interface.name
        if (/-[lw]an$/.test(side)) continue // a router's copies; each start of tshark takes its time
        const packets = sides.get(side) ?? []
        packets.push(packet)
        sides.set(side, packets)
      }
    }
    const keys = new KeyLog(KEY_LOG_FILE), keyFile = join(t.testdir(), KEY_LOG_FILE)
    keys.add(stream.keyLog)
    let compared = 0
    for (const [side, packets] of sides) {
      const ours: Message[] = []
      canonicalize(packets, {
        keys,
        decoder: (...given) => {
          const message = decodePayload(...given)
          if (message !== null) ours.push(message)
          return message
        },
      })
      const file = written(t, packets)
      writeFileSync(keyFile, stream.keyLog)
      const rows = tshark(file, '-o', `tls.keylog_file:${keyFile}`)
      const theirs = rows.flatMap(row => row['naptlab.type'].map(type => DEFINITIONS.find(definition => definition.type === Number(type))!).map(({ name }) => labelOf(name)))
      t.same(theirs.sort(), ours.map(({ number, name }) => number === null ? name : `${number} ${name}`).sort(), `${side}: messages`)
      for (const key of KEYS) {
        const title = ANY_FIELD[key].title
        const digest = (text: string): string => CERTIFICATES.has(title) ? createHash('sha256').update(Buffer.from(text, 'hex')).digest('hex') : text
        const wanted = ours.flatMap(({ fields }) => fields.filter(field => field.name === title && field.length > 0).map(field =>
          field.secret === true ? masked(field.length) : field.value === 'set' ? '1' : field.value === 'not set' ? '0' : String(field.value)))
        t.same(rows.flatMap(row => row[nameOf(key)]).map(digest).sort(), wanted.sort(), `${side}: ${title}`)
      }
      t.same(rows.flatMap(row => row['_ws.expert.message']).filter(text => text.includes('(byte')), [], `${side}: nothing malformed`)
      t.notMatch(JSON.stringify(rows.map(row => row['_ws.col.Info'])), /Continuation Data|Ignored Unknown Record/, `${side}: records of TLS span segments`)
      compared += ours.length
    }
    t.ok(compared > 15, `${compared} messages compared`)
  })
}

t.test('the capture of a run as it is: the numbers of Fig. 2 without any setting, from the keys in the file', needsTsharkWithLua, async t => {
  const rows = tshark(goldenCapture('fig2'))
  const numbers = new Set(rows.flatMap(row => row['naptlab.number']))
  for (const number of ['63', '54', '55', '201', '217', '205', '226']) t.ok(numbers.has(number), number)
})
