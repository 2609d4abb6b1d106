// The programs of a run on a bench (endpoint-process.ts), started on their hosts, told what to do, and heard through the events
// that they print.
import { createInterface } from 'node:readline'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import type { EndpointEvent, EventName } from '../../endpoints/events.js'
import type { EndpointTask, Role } from './endpoint-task.js'
import type { LiveBench } from '../bench/live-bench.js'
import { childrenOf, ownEnvironment } from '../bench/process.js'
import { programPath } from '../program-path.js'

const PROGRAM = programPath('lab/programs/endpoint-process')
const ERROR_TEXT_LIMIT = 4096
/** Longer than every time-out of the programs themselves, milliseconds. */
const EVENT_LIMIT = 30_000

type EventOf<N extends EventName> = Extract<EndpointEvent, { event: N }>

/** A program that ended while something was still expected of it. The message holds its own last words. */
export class ApparatusError extends Error {}

export interface Exit { readonly code: number | null, readonly signal: NodeJS.Signals | null }

interface Expectation { readonly matches: (event: EndpointEvent) => boolean, readonly resolve: (event: EndpointEvent) => void, readonly reject: (error: Error) => void }

export class Apparatus {
  readonly name: string
  /** Resolves when the program has ended and all of its output was read. */
  readonly exited: Promise<Exit>
  readonly #child: ChildProcessWithoutNullStreams
  readonly #seen: EndpointEvent[] = []
  readonly #expectations = new Set<Expectation>()
  #errorText = ''
  #hasEnded = false

  /** Starts the program on a host, where it loads what `roles` need and waits for its task. `onEvent` hears everything that it says. */
  constructor(bench: LiveBench, host: string, roles: readonly Role[], onEvent: (event: EndpointEvent) => void) {
    this.name = host
    this.#child = bench.spawn(host, process.execPath, [PROGRAM, ...roles], { env: ownEnvironment() })
    this.#child.stdin.on('error', () => undefined) // it ended before it read anything
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => { this.#errorText = (this.#errorText + text).slice(-ERROR_TEXT_LIMIT) })
    createInterface({ input: this.#child.stdout }).on('line', line => this.#hear(JSON.parse(line) as EndpointEvent, onEvent))
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => resolve({ code, signal }))
    })
    void this.exited.then(() => this.#disappoint(), () => this.#disappoint())
  }

  /** Everything that the program has said so far. */
  get events(): readonly EndpointEvent[] { return this.#seen }

  /** The last error that the program told of. */
  get lastWords(): string {
    const errors = this.#seen.filter(event => event.event === 'error')
    return errors.at(-1)?.message ?? this.#errorText.trim()
  }

  /**
   * The first event, past or future, of that name (or one of those) for which `test` holds.
   * @throws ApparatusError when the program ends before, or nothing of the kind happens in time
   */
  async event<N extends EventName>(name: N | readonly N[], test: (event: EventOf<N>) => boolean = () => true): Promise<EventOf<N>> {
    const names: readonly EventName[] = typeof name === 'string' ? [name] : name
    const matches = (event: EndpointEvent): event is EventOf<N> => names.includes(event.event) && test(event as EventOf<N>)
    const past = this.#seen.find(matches)
    if (past !== undefined) return past
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve, reject) => {
        this.#expectations.add({ matches, resolve: event => resolve(event as EventOf<N>), reject })
        timer = setTimeout(() => reject(new ApparatusError(`${this.name} did not get as far as '${names.join("' or '")}' within ${EVENT_LIMIT / 1000} s`)), EVENT_LIMIT)
        if (this.#hasEnded) this.#disappoint()
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Waits for the program's own end. False when that is a bad one, which `run` is told. */
  async succeeds(run: { fail(text: string): void }): Promise<boolean> {
    const { code } = await this.exited
    if (code !== 0) run.fail(`${this.name}: ${this.lastWords === '' ? `ended with exit code ${code ?? 'none'}` : this.lastWords}`)
    return code === 0
  }

  /** Its id on this machine; null when it has ended. */
  get pid(): number | null { return this.#child.pid === undefined ? null : childrenOf(this.#child.pid).at(0) ?? null }

  /** Gives the program its task; it begins at once. */
  begin(task: EndpointTask): void { this.#child.stdin.write(`${JSON.stringify(task)}\n`) }

  /** Lets a program that waits for it go on (AskerTask). */
  proceed(): void { this.#child.stdin.write('{}\n') }

  /** Asks the program to end. */
  stop(): void { this.#child.kill('SIGTERM') }

  #hear(event: EndpointEvent, onEvent: (event: EndpointEvent) => void): void {
    this.#seen.push(event)
    onEvent(event)
    for (const expectation of this.#expectations) {
      if (!expectation.matches(event)) continue
      this.#expectations.delete(expectation)
      expectation.resolve(event)
    }
  }

  #disappoint(): void {
    this.#hasEnded = true
    const words = this.lastWords === '' ? '' : `: ${this.lastWords}`
    for (const { reject } of this.#expectations) reject(new ApparatusError(`${this.name} ended early${words}`))
    this.#expectations.clear()
  }
}
