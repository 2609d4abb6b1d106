// The fast lines say what the full ones do, of every frame of the goldens, of cut ones and of damaged ones.
import t from 'tap'
import { summarizeFrame, summarizeFrameEnds } from '../../captures/decode/brief.js'
import { decode, decodePayload, summarize, summarizeEnds } from '../../captures/index.js'
import { ping, udp } from '../napt/frames.js'
import { framesOf, randomBytes } from './support.js'

const FRAMES = [...framesOf().values()].flat().map(({ bytes }) => bytes)
const random = randomBytes('brief')
const byte = (): number => random.next().value

t.test('as summarize and summarizeEnds', async t => {
  const cases = [
    ...FRAMES, udp('192.168.1.3:2000', '130.74.23.6:1200', 'hello'), ping('192.168.1.3', '130.74.23.6', 7), new Uint8Array(3),
    ...FRAMES.map(frame => frame.subarray(0, byte() % frame.length)),
    ...FRAMES.flatMap(frame => Array.from({ length: 20 }, () => {
      const changed = frame.slice()
      changed[byte() % Math.min(60, changed.length)] ^= 1 << byte() % 8
      return changed
    })),
  ]
  for (const frame of cases) {
    const decoded = decode(frame)
    if (summarizeFrame(frame, decodePayload) !== summarize(decoded, decodePayload) || summarizeFrameEnds(frame) !== summarizeEnds(decoded)) {
      t.same([summarizeFrame(frame, decodePayload), summarizeFrameEnds(frame)], [summarize(decoded, decodePayload), summarizeEnds(decoded)], Buffer.from(frame).toString('hex'))
    }
  }
  t.ok(cases.filter(frame => /checksum (wrong|partial)/.test(summarizeFrame(frame, decodePayload))).length > 50, 'damage was among them')
})
