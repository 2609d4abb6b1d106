// A router under test that stands: its bench, with a client and a server that answer to the bench's requests.
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import type { AttachedBench } from '../../lab/bench/live-bench.js'
import { openBench } from '../../lab/bench/open.js'
import { ownEnvironment } from '../../lab/bench/process.js'
import { BenchmarkError } from '../process.js'
import type { Entrant } from './entrants.js'
import { receivedRate } from './iperf3.js'
import { PORT, type Answers, type Request } from './protocol.js'
import { NAMES, SERVER, topology } from './topology.js'

const CLIENT_PROGRAM = fileURLToPath(new URL('./client-process.js', import.meta.url))
const SERVER_PROGRAM = fileURLToPath(new URL('./server-process.js', import.meta.url))
/** Seconds that iperf3 may take beyond what it was told to. */
const PATIENCE = 5
const ERROR_TEXT_LIMIT = 2000

export class Testbed {
  readonly entrant: Entrant
  readonly #bench: AttachedBench
  readonly #client: ChildProcessWithoutNullStreams
  readonly #lines: Interface
  readonly #ended: Promise<never>
  #isUp = true

  private constructor(entrant: Entrant, bench: AttachedBench, client: ChildProcessWithoutNullStreams) {
    this.entrant = entrant
    this.#bench = bench
    this.#client = client
    this.#lines = createInterface({ input: client.stdout })
    this.#ended = Promise.race([
      bench.ended.then(failure => { throw failure ?? new BenchmarkError('the bench has ended') }),
      endOf(client, 'the client of the measurement'),
    ])
    this.#ended.catch(() => { this.#isUp = false }) // why is told to whoever asks next
  }

  /**
   * Brings the router up with its client and server, and sees a datagram there and back.
   * @param withBulk there is an iperf3
   * @throws BenchError, BenchmarkError: it does not come up, or does not forward
   */
  static async open(entrant: Entrant, withBulk: boolean): Promise<Testbed> {
    const { name, routerScript, routerSettings, ...options } = entrant
    const bench = await openBench(topology(name, options), { ...routerScript === undefined ? {} : { routerScript }, routerSettings: () => routerSettings })
    try {
      const env = ownEnvironment()
      await ready(bench.spawn(NAMES.server, process.execPath, [SERVER_PROGRAM, SERVER], { env }), 'the server of the measurement')
      if (withBulk) await ready(bench.spawn(NAMES.server, 'iperf3', ['--server', '--port', String(PORT.bulk), '--forceflush']), 'iperf3 as a server')
      const testbed = new Testbed(entrant, bench, bench.spawn(NAMES.client, process.execPath, [CLIENT_PROGRAM, SERVER], { env }))
      await testbed.ask({ op: 'hello' })
      return testbed
    } catch (error) {
      await bench.close()
      throw error
    }
  }

  /** Until its router, its client or the bench itself has ended. */
  get isUp(): boolean { return this.#isUp }

  /** One request at a time. @throws BenchmarkError in the client's words; what ended the bench */
  async ask<R extends Request>(request: R): Promise<Answers[R['op']]> {
    const line = once(this.#lines, 'line') as Promise<[string]>
    this.#client.stdin.write(`${JSON.stringify(request)}\n`)
    const [text] = await Promise.race([line, this.#ended])
    const answer = JSON.parse(text) as Answers[R['op']] | { readonly error: string }
    if ('error' in answer) throw new BenchmarkError(answer.error)
    return answer
  }

  /** Bits a second of payload that arrive. @param direction as the client sees it. @throws BenchmarkError in iperf3's words */
  async bulk(streams: number, direction: 'out' | 'in', seconds: number): Promise<number> {
    const client = this.#bench.spawn(NAMES.client, 'timeout', [String(seconds + PATIENCE), 'iperf3', '--client', SERVER, '--port', String(PORT.bulk),
      '--time', String(seconds), '--parallel', String(streams), '--json', ...direction === 'in' ? ['--reverse'] : []])
    let json = ''
    client.stdout.setEncoding('utf8').on('data', (text: string) => { json += text })
    await Promise.race([once(client, 'close'), this.#ended])
    return receivedRate(json)
  }

  /** Resolves when nothing of it is left. */
  close(): Promise<void> { return this.#bench.close() }
}

/** Its first words say that it serves; the rest is not listened to. */
async function ready(child: ChildProcessWithoutNullStreams, what: string): Promise<void> {
  await Promise.race([once(child.stdout, 'data'), endOf(child, what)])
  child.stdout.resume()
  child.stderr.resume()
}

async function endOf(child: ChildProcessWithoutNullStreams, what: string): Promise<never> {
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-ERROR_TEXT_LIMIT) })
  const [code] = await once(child, 'close') as [number | null]
  throw new BenchmarkError(`${what} ended (${code === null ? 'killed' : `exit code ${code}`})${said === '' ? '' : `: ${said.trim()}`}`)
}
