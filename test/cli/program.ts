// Commands that go on until they are stopped, as programs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { EventLog } from '../endpoints/bench.js'
import { NAPTLAB } from './naptlab.js'
import type { EndpointEvent } from '../../endpoints/index.js'
import type { ChildProcess } from 'node:child_process'

/** A command that runs while the test does; with `--json` its events can be awaited. */
export class Program extends EventLog {
  readonly process: ChildProcess
  readonly #exit: Promise<number | null>
  output = ''
  errors = ''

  constructor(test: { teardown(end: () => unknown): void }, args: readonly string[], password: string | null = 'secret') {
    super()
    const env = { ...process.env }
    delete env.NAPTLAB_PASSWORD
    if (password !== null) env.NAPTLAB_PASSWORD = password
    this.process = spawn(process.execPath, [NAPTLAB, ...args], { env })
    this.#exit = once(this.process, 'close').then(([code]) => code as number | null)
    test.teardown(() => this.process.kill('SIGKILL'))
    this.process.stderr?.on('data', (chunk: Buffer) => { this.errors += chunk.toString() })
    if (this.process.stdout) createInterface({ input: this.process.stdout }).on('line', line => {
      this.output += line + '\n'
      if (args.includes('--json')) this.onEvent(JSON.parse(line) as EndpointEvent)
    })
  }

  /** The exit code. */
  exit(): Promise<number | null> {
    return this.#exit
  }
}
