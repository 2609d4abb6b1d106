// What recording costs a router: small UDP packets at a rate through one on a bench, with and without recording, in turns. What counts
// is the CPU time of the thread that forwards, and that each packet is in the file twice. Runs alone:
// `node dist/bench/recording.js [--quick] [--json]`; exit 0 when both are as wanted, 1 when not, 2 for wrong usage.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CaptureStream } from '../captures/index.js'
import { openBench, type AttachedBench, type BenchDescription } from '../lab/index.js'
import { cpuOf } from '../lab/systems/process-use.js'
import { childrenOf } from '../lab/bench/process.js'
import { RouterClient, type CountersJson } from '../napt/index.js'
import { BenchmarkError } from './process.js'
import { spreadOf, type Spread } from './statistics.js'
import type { Sent, Source } from './udp-source.js'

export interface RecordingOptions {
  /** Packets a second. */
  readonly rate: number
  /** Of each turn. */
  readonly seconds: number
  readonly rounds: number
  readonly onTurn?: (round: number, isRecording: boolean) => void
}

/** One turn of a router. */
export interface RecordingTurn {
  readonly isRecording: boolean
  /** Packets a second, as they were offered. */
  readonly rate: number
  readonly offered: number
  readonly forwarded: number
  /** Frames that the router's devices had no time to take; no matter of the recording's. */
  readonly missed: number
  /** CPU time a forwarded packet, microseconds: of the thread that forwards, and of all others. */
  readonly forwarding: number
  readonly others: number
  /** Forwarded packets that are in the file as they came in, and as they went out. */
  readonly kept: number
  /** Frames of either side that the recorder says it could not keep. */
  readonly lost: number
  /** Bytes. */
  readonly file: number
}

export interface RecordingResult {
  readonly turns: readonly RecordingTurn[]
  /** CPU time of the forwarding thread with recording by that without, round by round; 1.1 is wanted at most. */
  readonly slowdown: Spread
  /** Forwarded packets that are missing from the files. */
  readonly missing: number
  readonly ok: boolean
}

export const MOST_SLOWDOWN = 1.1
const SOURCE = fileURLToPath(new URL('./udp-source.js', import.meta.url))
const FLOWS = 64
/** Milliseconds without a packet. */
const SETTLING = 50
const DESTINATION = '198.51.100.2:9', LAN_HOST = '192.168.1.2'

const BENCH: BenchDescription = {
  name: 'recording',
  networks: { lan: {}, wan: {} },
  hosts: { source: { network: 'lan', address: `${LAN_HOST}/24`, gateway: '192.168.1.1' }, sink: { network: 'wan', address: '198.51.100.2/24' } },
  routers: { nat: { lan: { network: 'lan', address: '192.168.1.1/24' }, wan: { network: 'wan', address: '198.51.100.1' } } },
}

/** @throws PrerequisiteError when the machine refuses namespaces; BenchmarkError when a program fails */
export async function benchRecording({ rate, seconds, rounds, onTurn }: RecordingOptions): Promise<RecordingResult> {
  const turns: RecordingTurn[] = [], slowdowns: number[] = []
  for (let round = 0; round < rounds; round++) {
    const ofRound: RecordingTurn[] = []
    for (const isRecording of round % 2 === 0 ? [false, true] : [true, false]) {
      onTurn?.(round, isRecording)
      ofRound.push(await recordingTurn(rate, seconds, isRecording))
    }
    const [off, on] = [...ofRound].sort((a, b) => Number(a.isRecording) - Number(b.isRecording))
    slowdowns.push(on.forwarding / off.forwarding)
    turns.push(off, on)
  }
  const slowdown = spreadOf(slowdowns), recorded = turns.filter(({ isRecording }) => isRecording)
  const missing = recorded.reduce((sum, { forwarded, kept }) => sum + forwarded - kept, 0)
  return { turns, slowdown, missing, ok: slowdown.median <= MOST_SLOWDOWN && missing === 0 }
}

/** One router, from its start to its end: `rate` packets to warm up, and then those that count. @throws as benchRecording */
export const recordingTurn = (rate: number, seconds: number, isRecording: boolean): Promise<RecordingTurn> =>
  withRouter(isRecording, (bench, file) => measure(bench, rate, seconds, file))

/** A bench with a router, which is gone afterwards; `file` is what it records to, or null. @throws as benchRecording */
export async function withRouter<T>(isRecording: boolean, work: (bench: AttachedBench, file: string | null) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'naptlab-recording-'))
  try {
    const bench = await openBench(BENCH, isRecording ? { routerSettings: () => ({ captureFolder: folder }) } : {})
    try {
      return await work(bench, isRecording ? join(folder, 'nat.pcapng') : null)
    } finally {
      await bench.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measure(bench: AttachedBench, rate: number, seconds: number, file: string | null): Promise<RecordingTurn> {
  const router = await RouterClient.connect(bench.controlSocket('nat')), pid = routerPid(bench)
  await warmUp(bench, rate)
  const before = await router.request({ op: 'counters' }), used = cpuTimes(pid)
  const sent = await send(bench, rate * seconds, rate)
  const after = await settledCounters(router), usedAfter = cpuTimes(pid)
  const count = after.forwarded.lan - before.forwarded.lan
  if (file !== null) await router.request({ op: 'endCaptures' })
  router.close()
  const usedByAll = cpuTimes(pid)
  return {
    isRecording: file !== null, rate: sent.packets / sent.milliseconds * 1000, offered: sent.packets, forwarded: after.forwarded.lan, missed: after.devices.lan.missed,
    forwarding: (usedAfter.forwarding - used.forwarding) / count * 1e6, others: (usedByAll.others - used.others) / count * 1e6,
    ...(file === null ? { kept: 0, lost: 0, file: 0 } : { ...await look(file), file: statSync(file).size }),
  }
}

/** Sessions are made, neighbours found and code compiled before it counts. */
export async function warmUp(bench: AttachedBench, rate: number): Promise<void> {
  await send(bench, FLOWS, 1000)
  await send(bench, rate, rate)
}

/** When the last packet has been through. */
export async function settledCounters(router: RouterClient): Promise<CountersJson> {
  for (let last = await router.request({ op: 'counters' }); ;) {
    await pause(SETTLING)
    const counters = await router.request({ op: 'counters' })
    if (counters.devices.lan.received === last.devices.lan.received) return counters
    last = counters
  }
}

/** So many packets at a rate from the LAN to the WAN. @throws BenchmarkError when their source fails */
export async function send(bench: AttachedBench, packets: number, rate: number): Promise<Sent> {
  const mac = bench.routers[0].interfaces.find(({ name }) => name === 'lan')?.mac ?? ''
  const source: Source = { interface: 'eth0', to: mac, address: LAN_HOST, destination: DESTINATION, flows: FLOWS, packets, rate }
  const child = bench.spawn('source', process.execPath, [SOURCE, JSON.stringify(source)])
  let said = '', complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { complaint += text })
  const [code] = await once(child, 'close') as [number | null]
  if (code !== 0) throw new BenchmarkError(`the source of packets ended with ${String(code)}: ${complaint.trim()}`)
  return JSON.parse(said) as Sent
}

function routerPid(bench: AttachedBench): number {
  const pid = childrenOf(bench.pid).find(child => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('router-process'))
  if (pid === undefined) throw new BenchmarkError('the router of the bench has ended')
  return pid
}

/** Seconds of the first thread, which forwards, and of all others, those that have ended too. */
function cpuTimes(pid: number): { readonly forwarding: number, readonly others: number } {
  const of = (path: string): number => cpuOf(readFileSync(path, 'utf8')), forwarding = of(`/proc/${pid}/task/${pid}/stat`)
  return { forwarding, others: of(`/proc/${pid}/stat`) - forwarding }
}

/** Packets that are in the file at both sides, by their number; and what its statistics call dropped. */
async function look(file: string): Promise<{ readonly kept: number, readonly lost: number }> {
  const stream = await CaptureStream.open(file), cameIn = new Set<bigint>()
  let kept = 0
  for await (const packets of stream.batches()) {
    for (const { interface: { name }, direction, packetId } of packets) {
      if (packetId === null) continue
      if (name === 'nat-lan' && direction === 'inbound') cameIn.add(packetId)
      else if (name === 'nat-wan' && direction === 'outbound' && cameIn.delete(packetId)) kept++
    }
  }
  if (stream.damage !== null) throw stream.damage
  return { kept, lost: [...stream.statistics.values()].reduce((sum, { dropped }) => sum + Number(dropped ?? 0n), 0) }
}

/** As lines for people. */
export function recordingLines({ turns, slowdown, missing }: RecordingResult): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const headings = ['recording', 'packets a second', 'offered', 'forwarded', 'missed', 'CPU a packet, forwarding thread', 'other threads', 'in the file twice', 'lost']
  return [
    line(headings), line(headings.map(() => '---')),
    ...turns.map(turn => line([
      turn.isRecording ? 'on' : 'off', Math.round(turn.rate).toLocaleString('en'), String(turn.offered), String(turn.forwarded), String(turn.missed), `${turn.forwarding.toFixed(2)} µs`, `${turn.others.toFixed(2)} µs`,
      turn.isRecording ? String(turn.kept) : '–', turn.isRecording ? String(turn.lost) : '–',
    ])),
    '', `forwarding thread with recording: ${slowdown.median.toFixed(2)} × (${slowdown.least.toFixed(2)}–${slowdown.most.toFixed(2)}), wanted ${MOST_SLOWDOWN} × at most; missing from the files: ${missing}`,
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values: { quick, json, rate } } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, rate: { type: 'string', default: '100000' } } })
    const result = await benchRecording({ rate: Number(rate), seconds: quick ? 1 : 3, rounds: quick ? 2 : 5 })
    process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : `${recordingLines(result).join('\n')}\n`)
    process.exitCode = result.ok ? 0 : 1
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  }
}
