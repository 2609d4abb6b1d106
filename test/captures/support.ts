// A made-up run of Fig. 2 for the tests of captures/: its frames on every interface, the records of its routers, and a small
// message format of the tests' own, so that a fault of the endpoints' codec cannot hide one of the checks.
import { createHash } from 'node:crypto'
import { parseEndpoint, parseMac, type Endpoint } from '../../napt/wire/address.js'
import { tcpFrame, udpFrame, type TcpOptions } from '../../napt/wire/frame.js'
import { FLAG } from '../../napt/wire/tcp.js'
import {
  encodePcap, readCaptureBytes, type Capture, type LayoutField, type MessageField, type PayloadDecoder, type RouterRecord,
} from '../../captures/index.js'

const NAMES: Readonly<Record<number, string | undefined>> = { 201: 'equipment registration', 205: 'connection request notification', 217: 'connection request', 226: 'connection request' }
const FIELD_NAMES: readonly (string | undefined)[] = ['equipment ID', 'password', 'IP address', 'port', 'connection request notification flag', 'request token']
/** Type, length of all, then each field as its number, its length and its text. */
export function message(type: number, fields: readonly (readonly [name: string, value: string])[]): Uint8Array {
  const body = fields.flatMap(([name, value]) => [FIELD_NAMES.indexOf(name), Buffer.byteLength(value), ...Buffer.from(value)])
  return Uint8Array.of(type, body.length + 2, ...body)
}

export const testDecoder: PayloadDecoder = (_protocol, _ports, bytes) => {
  const name = NAMES[bytes[0]]
  if (name === undefined || bytes.length < 2 || bytes[1] > bytes.length || bytes[1] < 2) return null
  const fields: MessageField[] = []
  for (let at = 2; at < bytes[1];) {
    const [id, length] = bytes.subarray(at)
    const name = FIELD_NAMES[id]
    if (name === undefined || at + 2 + length > bytes[1]) return null
    const value = Buffer.from(bytes.subarray(at + 2, at + 2 + length)).toString()
    fields.push({ name, value, offset: at + 2, length, random: id === 5 })
    at += 2 + length
  }
  return { number: String(bytes[0]), name, fields, length: bytes[1] }
}

export const PASSWORD = 'open sesame'
export const payloadFor = (number: string, fields: readonly LayoutField[]): Uint8Array =>
  message(Number(number), fields.map(field => [field.name, field.value ?? PASSWORD]))

/** What the kernel and the programs of a run are free to choose. */
export interface Freedom {
  readonly start: bigint
  readonly identification: number
  readonly sequence: number
  readonly ephemeral: number
  readonly token: string
  /** Bytes a segment of data. */
  readonly segment: number
  /** How often 201 is sent. */
  readonly registrations: number
}
export const FREEDOM: Freedom = { start: 1_700_000_000_000_000_000n, identification: 7, sequence: 1000, ephemeral: 40000, token: 'aaaa', segment: 400, registrations: 3 }

interface Event { readonly seen: ReadonlyMap<string, Uint8Array>, readonly time: bigint }
/** One packet as it looks on each interface that it crosses, in order. */
type Path = readonly (readonly [name: string, from: string, to: string])[]

const REGISTER: Path = [['103', '192.168.1.3:2000', '130.74.23.6:1200'], ['104b-lan', '192.168.1.3:2000', '130.74.23.6:1200'], ['104b-wan', '202.204.16.13:3400', '130.74.23.6:1200'], ['101', '202.204.16.13:3400', '130.74.23.6:1200']]
const FIRST: Path = [['102', '192.168.1.11:1500', '130.74.23.6:1201'], ['104a-lan', '192.168.1.11:1500', '130.74.23.6:1201'], ['104a-wan', '4.17.168.2:7000', '130.74.23.6:1201'], ['101', '4.17.168.2:7000', '130.74.23.6:1201']]
const SECOND: Path = [['103', '192.168.1.3:2600', '130.74.23.6:1300'], ['104b-lan', '192.168.1.3:2600', '130.74.23.6:1300'], ['104b-wan', '202.204.16.13:2401', '130.74.23.6:1300'], ['101', '202.204.16.13:2401', '130.74.23.6:1300']]
const direct = (port: number): Path => [
  ['103', `192.168.1.3:${port}`, '4.17.168.2:5000'], ['104b-lan', `192.168.1.3:${port}`, '4.17.168.2:5000'],
  ['104b-wan', '202.204.16.13:2402', '4.17.168.2:5000'], ['104a-wan', '202.204.16.13:2402', '4.17.168.2:5000'],
  ['104a-lan', '202.204.16.13:2402', '192.168.1.11:1600'], ['102', '202.204.16.13:2402', '192.168.1.11:1600'],
]
const back = (path: Path): Path => [...path].reverse().map(([name, from, to]) => [name, to, from])

const REQUEST = [['IP address', '4.17.168.2'], ['port', '5000']] as const
export const DATA = new TextEncoder().encode('a line that 103 sends to 102\n'.repeat(40))

/** A whole run, packet by packet. */
export function run(freedom: Freedom = FREEDOM): Event[] {
  const events: Event[] = []
  let identification = freedom.identification
  const emit = (path: Path, build: (from: Endpoint, to: Endpoint, options: TcpOptions) => Uint8Array): void => {
    identification++
    const seen = path.map(([name, from, to], at) =>
      [name, build(parseEndpoint(from), parseEndpoint(to), { identification, dontFragment: true, timeToLive: 64 - Math.floor(at / 2), sourceMac: parseMac('02:00:00:00:00:aa') })] as const)
    events.push({ seen: new Map(seen), time: freedom.start + BigInt(events.length) * 1_000_000n })
  }
  const udp = (path: Path, payload: Uint8Array): void => emit(path, (from, to, options) => udpFrame(from, to, payload, options))
  const connect = (path: Path): { send: (forward: boolean, payload: Uint8Array) => void, close: () => void } => {
    const next = [freedom.sequence, freedom.sequence * 3]
    const segment = (forward: boolean, flags: number, payload: Uint8Array = new Uint8Array(0)): void => {
      const [mine, other] = forward ? [0, 1] : [1, 0]
      const sequence = next[mine], acknowledgement = (flags & FLAG.ack) === 0 ? 0 : next[other]
      emit(forward ? path : back(path), (from, to, options) => tcpFrame(from, to, flags, payload, { ...options, sequence, acknowledgement }))
      next[mine] = (sequence + payload.length + ((flags & (FLAG.syn | FLAG.fin)) === 0 ? 0 : 1)) >>> 0
    }
    segment(true, FLAG.syn)
    segment(false, FLAG.syn | FLAG.ack)
    segment(true, FLAG.ack)
    return {
      send(forward, payload) {
        for (let at = 0; at < payload.length; at += freedom.segment) segment(forward, FLAG.psh | FLAG.ack, payload.subarray(at, at + freedom.segment))
        segment(!forward, FLAG.ack)
      },
      close() {
        segment(true, FLAG.fin | FLAG.ack)
        segment(false, FLAG.fin | FLAG.ack)
        segment(true, FLAG.ack)
      },
    }
  }
  for (let i = 0; i < freedom.registrations; i++) udp(REGISTER, message(201, [['equipment ID', '2133']]))
  const first = connect(FIRST)
  first.send(true, message(217, [['equipment ID', '2133'], ['password', PASSWORD], ...REQUEST, ['request token', freedom.token]]))
  udp(back(REGISTER), message(205, [['connection request notification flag', 'set'], ['request token', freedom.token]]))
  const second = connect(SECOND)
  second.send(false, message(226, [['password', PASSWORD], ...REQUEST, ['request token', freedom.token]]))
  const data = connect(direct(freedom.ephemeral))
  data.send(true, DATA)
  data.send(false, new TextEncoder().encode('thanks\n'))
  data.close()
  second.close()
  first.close()
  return events
}

export type Frames = Map<string, { time: bigint, bytes: Uint8Array }[]>

/** The run's frames by interface, in files' order; each frame is a copy that a test may change. */
export function framesOf(events: readonly Event[] = run()): Frames {
  const frames: Frames = new Map()
  for (const { seen, time } of events) {
    for (const [name, bytes] of seen) frames.set(name, [...frames.get(name) ?? [], { time, bytes: Uint8Array.from(bytes) }])
  }
  return frames
}

export async function capture(packets: readonly { time: bigint, bytes: Uint8Array }[], file = 'made-up.pcap'): Promise<Capture> {
  return readCaptureBytes(encodePcap(packets.map(({ time, bytes }) => ({ time, bytes, originalLength: bytes.length }))), file)
}

export async function capturesOf(frames: Frames = framesOf()): Promise<Map<string, Capture>> {
  const captures = new Map<string, Capture>()
  for (const [name, packets] of frames) captures.set(name, await capture(packets, `${name}.pcap`))
  return captures
}

/** What the routers report of the run; the second one of two 50 µs after the first. */
export function recordsOf(events: readonly Event[] = run()): RouterRecord[] {
  return events.flatMap(({ seen, time }) => {
    const routers = [...seen.keys()].filter(name => name.includes('-'))
    const records: RouterRecord[] = []
    for (let at = 0; at + 1 < routers.length; at += 2) {
      const [router, from] = routers[at].split('-'), side = routers[at + 1].split('-')[1]
      records.push({
        router, time: time + BigInt(at) * 25_000n, from: from === 'lan' ? 'lan' : 'wan', received: seen.get(routers[at])!,
        verdict: { action: 'forward' }, sent: { side: side === 'lan' ? 'lan' : 'wan', frame: seen.get(routers[at + 1])! },
      })
    }
    return records
  })
}

/** Random bytes that are the same in every run. */
export function* randomBytes(seed: string): Generator<number, never> {
  for (let block = 0; ; block++) yield* createHash('sha256').update(`${seed} ${block}`).digest()
}
