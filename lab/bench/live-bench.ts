// A bench that is up, seen from outside: run programs on its hosts, find its routers' control sockets, take it down.
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { BenchError, type BenchFailure } from './bench.js'
import { namespacePath, runInside, spawnInside, type Place, type ProgramOptions } from './enter.js'
import type { PlannedNamespace } from './plan.js'
import { controlPath, type BenchRecord, type Milliseconds } from './protocol.js'

export class LiveBench {
  readonly #programs = new Set<Promise<unknown>>()

  /**
   * @param pid the keeper's id on the machine
   * @param end takes the bench down and resolves when everything in it is gone
   */
  constructor(readonly pid: number, readonly record: BenchRecord, private readonly end: () => Promise<void>) {}

  get name(): string {
    return this.record.name
  }

  get hosts(): readonly PlannedNamespace[] {
    return this.#ofKind('host')
  }

  get routers(): readonly PlannedNamespace[] {
    return this.#ofKind('router')
  }

  /**
   * Starts a program on a host, with pipes. `kill` reaches the program itself; it ends with the bench at the latest.
   * @param host name of a host, or of a router or switch, whose namespaces can be entered too
   * @throws BenchError when there is no such host
   */
  spawn(host: string, command: string, args: readonly string[] = [], options: ProgramOptions = {}): ChildProcessWithoutNullStreams {
    const child = spawnInside(this.#place(host), command, args, options)
    const ended = new Promise(resolve => child.on('close', resolve))
    this.#programs.add(ended)
    void ended.then(() => this.#programs.delete(ended))
    return child
  }

  /**
   * Runs a program on a host with this process's own terminal.
   * @returns its exit code, or 128 and the number of the signal it died of
   * @throws BenchError when there is no such host
   */
  exec(host: string, command: string, args: readonly string[] = []): Promise<number> {
    return runInside(this.#place(host), command, args)
  }

  /** Path of a router's control socket, to be opened from outside. @throws BenchError when there is no such router */
  controlSocket(router: string): string {
    if (!this.routers.some(({ name }) => name === router)) throw new BenchError(`bench ${this.name} has no router '${router}'`)
    return `/proc/${this.pid}/root${controlPath(router)}`
  }

  /** Path of a network namespace, for setns or nsenter. @throws BenchError when there is no such host */
  namespacePath(host: string): string {
    return namespacePath(this.#place(host))
  }

  /** Takes the bench down. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    await this.end()
    await Promise.all(this.#programs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #place(host: string): Place {
    const names = this.record.namespaces.map(({ name }) => name)
    if (!names.includes(host)) throw new BenchError(`bench ${this.name} has no host '${host}'; there is ${names.join(', ')}`)
    return { keeper: this.pid, namespace: host }
  }

  #ofKind(kind: PlannedNamespace['kind']): PlannedNamespace[] {
    return this.record.namespaces.filter(namespace => namespace.kind === kind)
  }
}

/** A bench that ends with this process. */
export class AttachedBench extends LiveBench {
  /** @param ended resolves when everything is gone; with an error when that was not asked for */
  constructor(pid: number, record: BenchRecord, end: () => Promise<void>, readonly milliseconds: Milliseconds,
    readonly ended: Promise<BenchFailure | null>) {
    super(pid, record, end)
  }
}

/** A bench that ends with this process, whose routers are starting: programs can be started on its hosts, which nobody beyond a router hears. */
export class StartingBench extends LiveBench {
  /**
   * @param ready resolves when every router forwards; rejects with a BenchFailure when one fails, and everything is gone then
   * @param ended as of AttachedBench
   */
  constructor(pid: number, record: BenchRecord, end: () => Promise<void>, readonly ready: Promise<Milliseconds>,
    readonly ended: Promise<BenchFailure | null>) {
    super(pid, record, end)
  }
}
