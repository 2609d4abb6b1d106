// Hears what passes the WAN between hosts that are on it themselves: no router has a record of that (switch-tap-process.ts).
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import type { WireRecord } from '../../captures/ladder/correlate.js'
import { BenchError, type BenchDescription } from '../bench/bench.js'
import type { LiveBench } from '../bench/live-bench.js'
import { ownEnvironment } from '../bench/process.js'
import { readLine } from '../bench/protocol.js'
import { programPath } from '../program-path.js'
import { topologyOf, wanOf } from '../systems/topology.js'

const PROGRAM = programPath('lab/recording/switch-tap-process')

interface Line { readonly event: string, readonly time: string, readonly frame: string, readonly frames: number }

export class SwitchTap {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #closed: Promise<unknown>
  #missed = 0

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#closed = once(child, 'close')
  }

  /**
   * Null where no two hosts share the WAN, so that there is nothing to hear. Resolves when it hears.
   * @throws BenchError when it cannot listen
   */
  static async start(bench: LiveBench, description: BenchDescription, onRecord: (record: WireRecord) => void): Promise<SwitchTap | null> {
    const { hosts } = topologyOf(description), place = `switch.${wanOf(description)}`
    if (hosts.length < 2 || !bench.record.namespaces.some(({ name }) => name === place)) return null
    const child = bench.spawn(place, process.execPath, [PROGRAM, ...hosts.map(({ address }) => address)], { env: ownEnvironment() })
    const tap = new SwitchTap(child)
    let errorText = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => { errorText += text })
    const lines = createInterface({ input: child.stdout })
    const ready = new Promise<boolean>(resolve => {
      lines.on('line', text => {
        const { event, time, frame, frames } = readLine<Line>(text)
        if (event === 'ready') resolve(true)
        else if (event === 'missed' && frames !== undefined) tap.#missed = frames
        else if (time !== undefined && frame !== undefined) onRecord({ time: BigInt(time), frame: Buffer.from(frame, 'base64') })
      })
    })
    if (await Promise.race([ready, tap.#closed.then(() => false)])) return tap
    throw new BenchError(`what passes the WAN could not be heard: ${errorText.trim()}`)
  }

  /** Resolves when everything that was heard has been handed over, with the number of frames that were not heard. */
  async end(): Promise<number> {
    this.#child.stdin.end()
    await this.#closed
    return this.#missed
  }
}
