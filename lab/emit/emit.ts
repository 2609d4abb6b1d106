// Emits one of the packets of Figs. 7 and 8: for real, with raw-socket between two hosts of a small bench made for it or from
// a host of a bench that stands; or into a capture file.
import { checkPacket, encodePcap, decodePayload, figureLayouts, frameFor, type FieldCheck, type FigureLayout, type FigureName, type FigureRun } from '../../captures/index.js'
import { encode } from '../../endpoints/message/index.js'
import { formatIpv4 } from '../../napt/wire/address.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { createRequire } from 'node:module'
import { BenchError, BenchFailure, type BenchDescription } from '../bench/bench.js'
import type { Emitted } from './emit-protocol.js'
import type { LiveBench } from '../bench/live-bench.js'
import { openBench } from '../bench/open.js'
import { programPath } from '../program-path.js'
import { writeWhole } from '../write-whole.js'

const PROGRAM = programPath('lab/emit/emit-process')
/** 217 and 226 belong together by this; an emitted packet stands alone, and any value does. */
const TOKEN = '0000000000002133'

export interface EmitOptions {
  readonly figure: FigureName
  readonly run?: FigureRun
  readonly password: string
}

/** The layout and its frame, both checksums right. */
export function figureFrame({ figure, run = 'fig2', password }: EmitOptions): { layout: FigureLayout, frame: Uint8Array } {
  const layout = figureLayouts(run).find(each => each.figure === figure)
  if (layout === undefined) throw new RangeError(`there is no Fig. ${figure}`)
  return { layout, frame: frameFor(layout, payloadOf(layout, password)) }
}

function payloadOf({ number }: FigureLayout, password: string): Uint8Array {
  const issuer = { address: '4.17.168.2', port: 5000, token: TOKEN }
  switch (number) {
    case '201': return encode({ name: 'registration', equipmentId: '2133' })
    case '217': return encode({ name: 'request', equipmentId: '2133', password, ...issuer })
    case '205': return encode({ name: 'notification', notification: true, token: TOKEN })
    default: return encode({ name: 'forwardedRequest', password, ...issuer })
  }
}

/** Writes the packet as a capture file of one frame. `time` in nanoseconds since 1970. */
export function emitToFile(path: string, options: EmitOptions, time: bigint): void {
  const { frame } = figureFrame(options)
  writeWhole(path, encodePcap([{ time, bytes: frame, originalLength: frame.length }]))
}

export interface EmitResult {
  readonly layout: FigureLayout
  /** The frame as it arrived. */
  readonly received: Uint8Array
  readonly checks: readonly FieldCheck[]
}

/** How to get raw-socket, in one line. */
const ADD_RAW_SOCKET = 'sudo apt-get install -y make g++ python3 && npm install --include=optional'

/** @throws BenchError when the package is not there: it is optional, since it is compiled */
function requireRawSocket(): void {
  try {
    createRequire(import.meta.url)('raw-socket')
  } catch {
    throw new BenchError(`the package 'raw-socket', which sends the packet, is not installed. To add it: ${ADD_RAW_SOCKET}. A file needs none: --out FILE.`)
  }
}

/** Sends the packet from one host of a bench of two to the other, and checks what arrives. @throws BenchFailure when it does not */
export async function emitOnOwnBench(options: EmitOptions): Promise<EmitResult> {
  requireRawSocket()
  const { layout, frame } = figureFrame(options)
  const bench = await openBench(benchFor(layout))
  try {
    const { received } = await runEmitter(bench, 'sender', frame, layout, ['/run/netns/receiver', 'eth0'])
    if (received === null) throw new BenchFailure('the emitter did not say what arrived')
    const arrived = Buffer.from(received, 'base64')
    return { layout, received: arrived, checks: checkPacket(arrived, layout, { decoder: decodePayload, password: options.password }) }
  } finally {
    await bench.close()
  }
}

/** Sends the packet from a host of a bench that stands; where it goes from there is the bench's affair. @returns bytes sent */
export async function emitFrom(bench: LiveBench, host: string, options: EmitOptions): Promise<number> {
  requireRawSocket()
  const { layout, frame } = figureFrame(options)
  return (await runEmitter(bench, host, frame, layout, [])).sent
}

function benchFor({ source, destination }: FigureLayout): BenchDescription {
  return {
    name: 'emit',
    networks: { cable: {} },
    hosts: {
      sender: { network: 'cable', address: formatIpv4(source.address) },
      receiver: { network: 'cable', address: formatIpv4(destination.address) },
    },
  }
}

async function runEmitter(bench: LiveBench, host: string, frame: Uint8Array, layout: FigureLayout, watch: readonly string[]): Promise<Emitted> {
  const packet = Buffer.from(frame.subarray(ethernet.HEADER)).toString('base64')
  const child = bench.spawn(host, process.execPath, [PROGRAM, packet, formatIpv4(layout.destination.address), ...watch])
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (chunk: string) => { text[stream] += chunk })
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  if (code !== 0) throw new BenchFailure(`Fig. ${layout.figure} was not emitted: ${text.stderr.trim()}`)
  return JSON.parse(text.stdout) as Emitted
}
