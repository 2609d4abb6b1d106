// Records both sides of a router into one capture file, NAME.pcapng: every frame that it handled, with the verdict in words.
//
// It runs in the thread that forwards, so what it costs is forwarding's loss: about 10 µs for each of a forwarded packet's two copies,
// comment included, on a busy machine. So every packet of a bulk transfer has its own. It stops, and forwarding goes on, when the file
// cannot be written any more.
import { join } from 'node:path'
import { LINK_TYPE } from '../captures/link-layer.js'
import { PcapngWriter } from '../captures/pcapng/writer.js'
import { wallTime } from '../napt/clock.js'
import type { Dataplane } from '../napt/dataplane.js'
import type { TraceRecord } from '../napt/trace.js'
import type { Side } from '../napt/verdict.js'
import { RouterPackets } from './router-packets.js'

const SIDES: readonly Side[] = ['lan', 'wan']
/** Milliseconds until what was recorded is on file, for whoever reads what a killed router leaves. */
const FLUSH_INTERVAL = 200

export class RouterRecorder {
  readonly #dataplane: Dataplane
  readonly #writer: PcapngWriter
  readonly #packets: RouterPackets
  readonly #sides: Readonly<Record<Side, { id: number, written: number, missedBefore: number }>>
  readonly #stop: () => void
  readonly #flushing: NodeJS.Timeout
  #failure: Error | null = null

  /** @throws the system's error when the folder cannot be written */
  constructor(dataplane: Dataplane, folder: string) {
    const { name, lan, wan } = dataplane.router.config
    this.#dataplane = dataplane
    this.#packets = new RouterPackets(name)
    this.#writer = new PcapngWriter(join(folder, `${name}.pcapng`))
    const describe = (side: Side): { id: number, written: number, missedBefore: number } => ({
      id: this.#writer.interface({ name: `${name}-${side}`, description: `${side.toUpperCase()} side of router ${name}`, linkType: LINK_TYPE.ethernet, snapLength: 0 }),
      written: 0, missedBefore: dataplane.deviceCounters[side].missed,
    })
    this.#sides = { lan: describe('lan'), wan: describe('wan') }
    this.#writer.names(new Map([[wan.address, name], [lan.prefix.address, name]]))
    this.#writer.flush()
    this.#stop = dataplane.listen(record => this.#attempt(() => this.#write(record)))
    this.#flushing = setInterval(() => this.#attempt(() => this.#writer.flush()), FLUSH_INTERVAL).unref()
  }

  /** The file is finished under its name. Gives its path; ending twice does nothing more. @throws the system's error when it could not be written */
  end(): string {
    this.#attempt(() => this.#finish())
    if (this.#failure !== null) throw this.#failure
    return this.#writer.path
  }

  /** As `end`, for who cannot do anything about a file that could not be written. */
  close(): void { this.#attempt(() => this.#finish()) }

  #write(record: TraceRecord): void {
    for (const { side, bytes, ...facts } of this.#packets.of(record)) {
      const { id } = this.#sides[side]
      this.#writer.packet(bytes, { interfaceId: id, ...facts })
      this.#sides[side].written++
    }
  }

  #finish(): void {
    if (!this.#writer.isOpen) return
    this.#halt()
    const { deviceCounters, traceLostFrames } = this.#dataplane
    for (const side of SIDES) {
      const { id, written, missedBefore } = this.#sides[side]
      const dropped = deviceCounters[side].missed - missedBefore + traceLostFrames[side]
      this.#writer.statistics(id, wallTime(), { received: BigInt(written + dropped), dropped: BigInt(dropped) })
    }
    this.#writer.close()
  }

  #halt(): void {
    this.#stop()
    clearInterval(this.#flushing)
  }

  /** The disk may be full: that is the recording's end, not the router's. */
  #attempt(work: () => void): void {
    if (this.#failure !== null) return
    try {
      work()
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#halt()
    }
  }
}
