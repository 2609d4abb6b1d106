// Starts the witness of a bench (witness.ts) and ends it.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { BenchError } from '../bench/bench.js'
import type { LiveBench } from '../bench/live-bench.js'
import { ownEnvironment } from '../bench/process.js'
import { programPath } from '../program-path.js'

const PROGRAM = programPath('lab/recording/witness')

export class Witness {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #exited: Promise<unknown>

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#exited = once(child, 'close')
  }

  /** Records every host of the bench into the capture file at `path`. @throws BenchError when it cannot */
  static async start(bench: LiveBench, path: string): Promise<Witness> {
    const hosts = bench.hosts.map(host => host.name)
    const child = bench.spawn(hosts[0], process.execPath, [PROGRAM, path, ...hosts], { env: ownEnvironment() })
    let errorText = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => { errorText += text })
    const witness = new Witness(child)
    const ready = new Promise<boolean>(resolve => createInterface({ input: child.stdout }).once('line', () => resolve(true)))
    if (await Promise.race([ready, witness.#exited.then(() => false)])) return witness
    throw new BenchError(`the witness could not record the hosts' interfaces: ${errorText.trim()}`)
  }

  /** Resolves when the file is whole. */
  async end(): Promise<void> {
    this.#child.stdin.end()
    await this.#exited
  }
}
