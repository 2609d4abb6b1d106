// Starts the witness of a bench (witness.ts) and ends it.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { BenchError } from '../bench/bench.js'
import type { LiveBench } from '../bench/live-bench.js'
import { ownEnvironment } from '../bench/process.js'
import { readLine } from '../bench/protocol.js'
import { programPath } from '../program-path.js'

const PROGRAM = programPath('lab/recording/witness')

export class Witness {
  readonly #child: ChildProcessWithoutNullStreams
  /** Each resolves with whether it has said so, when it has or cannot any more. */
  readonly #ready: Promise<boolean>
  readonly #done: Promise<boolean>

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    const lines = createInterface({ input: child.stdout }), exited = once(child, 'close').then(() => false)
    const says = (event: string): Promise<boolean> => Promise.race([exited, new Promise<boolean>(resolve => {
      lines.on('line', line => { if (readLine<{ event: string }>(line).event === event) resolve(true) })
    })])
    this.#ready = says('ready')
    this.#done = says('done')
  }

  /** Records every host of the bench into the capture file at `path`. @throws BenchError when it cannot */
  static async start(bench: LiveBench, path: string): Promise<Witness> {
    const hosts = bench.hosts.map(host => host.name)
    const child = bench.spawn(hosts[0], process.execPath, [PROGRAM, path, ...hosts], { env: ownEnvironment() })
    let errorText = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => { errorText += text })
    const witness = new Witness(child)
    if (await witness.#ready) return witness
    throw new BenchError(`the witness could not record the hosts' interfaces: ${errorText.trim()}`)
  }

  /** Resolves when the file is whole; the process ends by itself, or with the bench. */
  async end(): Promise<void> {
    this.#child.stdin.end()
    await this.#done
  }
}
