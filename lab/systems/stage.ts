// A documented system as it is described, what its sequence works with, and what comes of a run (scenario.ts).
import type { FigureLayout } from '../../captures/figures.js'
import type { GoldenReport } from '../../captures/regression/golden.js'
import type { LadderEntry, LadderStep } from '../../captures/ladder/ladder.js'
import type { ConnectionName } from '../../captures/decode/connection-names.js'
import type { PayloadDecoder } from '../../captures/decode/payload.js'
import type { Capture } from '../../captures/files/read-capture.js'
import type { KeySource } from '../../captures/tls/key-log.js'
import type { RouterClient } from '../../napt/control/client.js'
import type { CountersJson, MappingJson } from '../../napt/control/protocol.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import type { Apparatus } from '../programs/apparatus.js'
import type { BenchDescription } from '../bench/bench.js'
import type { Role } from '../programs/endpoint-task.js'
import type { StartingBench } from '../bench/live-bench.js'

/** What is a system's own. */
export interface Scenario {
  /** What its capture is called, without the ending: `fig2`. */
  readonly name: string
  /** As people call it: `Fig. 2`. */
  readonly title: string
  readonly bench: BenchDescription
  /** The bench of the project's own that it runs on; who brings another begins with that one. */
  readonly standardBench: string
  /** Names that the bench must have for the sequence to run; what the routers do and where the cables go is its own affair. */
  readonly hosts: readonly string[]
  readonly routers: readonly string[]
  /** WAN addresses that routers get in the course of it, by router. */
  readonly laterAddresses?: Readonly<Record<string, readonly string[]>>
  /** How TCP's own packets are called in the ladder. */
  readonly connections: readonly ConnectionName[]
  /** Names the messages in the ladder; without it they have their own names. */
  readonly decoder?: PayloadDecoder
  /** Layouts that packets are checked against as they pass. */
  readonly figures?: readonly FigureLayout[]
  /** Steps of the routers themselves, such as S22. */
  readonly routerSteps?: (router: string, record: TraceRecord) => readonly LadderStep[]
  /** The golden that the captures must equal; null where the project keeps none: another bench, other options. */
  readonly golden: string | null
  /** The sequence itself. @throws ApparatusError when a program ends before its time, ControlError when a router refuses: failures of the run */
  readonly sequence: (stage: Stage) => Promise<void>
}

/** What every run can be asked for. */
export interface ScenarioOptions {
  /** Folder for captures; made if need be. */
  readonly out: string
  /** What the capture is called, in place of the scenario's own name. */
  readonly name?: string
  readonly seed?: number | string
  /** Ends the run early; what the captures hold by then is kept, and the result says so. */
  readonly signal?: AbortSignal
  readonly onEntry?: (entry: LadderEntry) => void
  /** Things that the person should know while it runs. */
  readonly onNotice?: (text: string) => void
}

export interface ScenarioResult {
  /** True only if the sequence came to its end, and everything that was checked holds. */
  readonly ok: boolean
  /** What went wrong in the sequence itself, in words. */
  readonly failures: readonly string[]
  /** By router, at the end of the run: Figs. 6 and 12. */
  readonly tables: Readonly<Record<string, readonly MappingJson[]>>
  readonly counters: Readonly<Record<string, CountersJson>>
  /** Null where the project keeps no golden. */
  readonly golden: GoldenReport | null
  /** One file with all interfaces, and the keys that open it; null when nothing was recorded. */
  readonly capture: string | null
  /** Whether the hosts' interfaces were recorded through libpcap too. */
  readonly isWitnessed: boolean
}

export interface Finished { readonly result: ScenarioResult, readonly captures: ReadonlyMap<string, Capture>, readonly keys: KeySource }

/** What a sequence works with. */
export interface Stage {
  readonly bench: StartingBench
  /** Starts the program of an apparatus, which loads what `roles` need while others do, and waits for its task (`Apparatus.begin`). It is ended with the run. */
  program(host: string, ...roles: readonly Role[]): Apparatus
  /** Resolves when everybody listens who is to hear what is said; nothing is said on the bench before. */
  readonly watching: Promise<unknown>
  /** Where programs append the keys of their connections, each before the packet that needs it leaves: beside the captures. */
  readonly keyLog: string
  /** @throws BenchError when there is no such router */
  router(name: string): RouterClient
  /** Resolves at the next frame that any router handles. */
  nextFrame(): Promise<void>
  /** Resolves when both ends of every TCP connection through a router have said that it is over, or have had the time to. */
  settled(): Promise<void>
  /** A path on the bench's hosts, as this process sees it. What is put below RUN_FOLDER goes with the bench, however that ends. */
  outside(path: string): string
  /** Puts a step into the ladder. */
  step(step: LadderStep): void
  /** Says what went wrong; the sequence goes on or returns as it likes. */
  fail(text: string): void
}
