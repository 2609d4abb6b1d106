// The file that the figures are measured on: 1,000 flows seen on a LAN, half UDP, half TCP, both directions. The same numbers make the same bytes.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { PcapWriter } from '../captures/index.js'
import { parseEndpoint, parseMac, type Endpoint } from '../napt/wire/address.js'
import { tcpFrame, udpFrame, type FrameOptions } from '../napt/wire/frame.js'
import { FLAG } from '../napt/wire/tcp.js'

const FLOWS = 1000
/** 2023-11-14, nanoseconds since 1970; packets are 10 µs apart. */
const START = 1_700_000_000_000_000_000n, STEP = 10_000n
/** Bytes of payload: acknowledgements, requests, full segments. */
const PAYLOADS = [0, 0, 12, 64, 200, 512, 1400]
const SMALLEST_DATAGRAM = 20
const HOST = parseMac('02:00:00:00:00:01'), ROUTER = parseMac('02:00:00:00:00:02')

interface Flow {
  readonly isTcp: boolean
  readonly inside: Endpoint
  readonly outside: Endpoint
  /** The next sequence number of either end. */
  readonly next: [inside: number, outside: number]
  /** Packets so far. */
  sent: number
}

/** Numbers from 0 up to but not including 1, the same for the same seed (Numerical Recipes' generator). */
function* random(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state / 2 ** 32
  }
}

/**
 * Writes a pcap file of so many packets.
 * @param onProgress called now and then with the packets written
 * @throws the system's error when the folder cannot be written
 */
export function writeTraffic(path: string, packets: number, seed: number, onProgress: (packets: number) => void): void {
  mkdirSync(dirname(path), { recursive: true })
  const draw = random(seed), below = (limit: number): number => Math.floor(draw.next().value * limit)
  const flows = Array.from({ length: FLOWS }, (_, at): Flow => ({
    isTcp: at % 2 === 1,
    inside: parseEndpoint(`192.168.1.${2 + at % 200}:${1024 + at * 7 % 60000}`),
    outside: parseEndpoint(`198.51.100.${1 + at % 250}:${at % 3 === 0 ? 5000 + at % 100 : 443}`),
    next: [below(2 ** 32), below(2 ** 32)], sent: 0,
  }))
  const file = new PcapWriter(path)
  try {
    for (let at = 0; at < packets; at++) {
      const payload = new Uint8Array(PAYLOADS[below(PAYLOADS.length)]).fill(at)
      file.write(START + BigInt(at) * STEP, frame(flows[below(FLOWS)], payload, draw.next().value < 0.4, at & 0xffff))
      if (at % 10_000 === 0) onProgress(at)
    }
    file.close()
  } catch (error) {
    file.discard()
    throw error
  }
}

/** The flow's next packet; the first ones open it, whatever is asked for. */
function frame(flow: Flow, data: Uint8Array, wantsBack: boolean, identification: number): Uint8Array {
  const step = flow.sent++
  const isBack = flow.isTcp && step < 3 ? step === 1 : step > 0 && wantsBack
  const [from, to] = isBack ? [flow.outside, flow.inside] : [flow.inside, flow.outside]
  const options: FrameOptions = {
    identification, dontFragment: true, timeToLive: 64,
    sourceMac: isBack ? ROUTER : HOST, destinationMac: isBack ? HOST : ROUTER,
  }
  if (!flow.isTcp) return udpFrame(from, to, data.length < SMALLEST_DATAGRAM ? new Uint8Array(SMALLEST_DATAGRAM) : data, options)
  const flags = step === 0 ? FLAG.syn : step === 1 ? FLAG.syn | FLAG.ack : data.length > 0 && step > 2 ? FLAG.psh | FLAG.ack : FLAG.ack
  const payload = step < 3 ? new Uint8Array(0) : data, [mine, other] = isBack ? [1, 0] : [0, 1]
  const sequence = flow.next[mine]
  flow.next[mine] = (sequence + payload.length + (step < 2 ? 1 : 0)) >>> 0
  return tcpFrame(from, to, flags, payload, { ...options, sequence, acknowledgement: step === 0 ? 0 : flow.next[other], window: 64240 })
}
