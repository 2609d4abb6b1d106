// What the keeper of a bench and the world outside tell each other: the job it is given, its reports, the files in its /run.
import type { Plan, PlannedNamespace } from './plan.js'

/** Below the keeper's own /run; from outside, below /proc/PID/root. */
export const RUN_FOLDER = '/run/naptlab'
export const RECORD_FILE = `${RUN_FOLDER}/bench.json`
export const controlPath = (router: string): string => `${RUN_FOLDER}/${router}.sock`
export const configPath = (router: string): string => `${RUN_FOLDER}/${router}.config.json`
export const logPath = (router: string): string => `${RUN_FOLDER}/${router}.log`

/** Attached: ends with the process that opened it. Standing: stays until it is taken down. */
export type Mode = 'attached' | 'standing'

export interface RouterInterface {
  readonly interface: string
  readonly network: string
  readonly mac: string
  readonly address: string
  /** Where the router is at a TAP's file: the kernel's end of it. */
  readonly tap?: TapEnd
}

export interface TapEnd {
  /** Path of the network namespace that the interface is in. */
  readonly namespace: string
  readonly interface: string
  readonly offloads: 'on' | 'off'
}

/** The file that a router's process is given the path of. Settings of the caller come beside these fields. */
export interface RouterConfig {
  readonly name: string
  readonly lan: RouterInterface
  readonly wan: RouterInterface
  readonly nat?: unknown
  /** Where to listen for control. */
  readonly control: string
  readonly seed: number | string
}

/** The first line on the keeper's standard input, as JSON. */
export interface Job {
  readonly name: string
  readonly mode: Mode
  readonly plan: Plan
  /** Run as `node SCRIPT CONFIG`; says {"event":"ready"} on standard output once it forwards. */
  readonly routerScript: string
  readonly routers: readonly RouterConfig[]
}

export interface Milliseconds { readonly build: number, readonly routers: number }

/** One JSON line each on the keeper's standard output. */
export type Report =
  | { readonly event: 'started' }
  /** Cables carry frames, except for those to a router's TAP; the routers are starting. */
  | { readonly event: 'built' }
  | { readonly event: 'ready', readonly milliseconds: Milliseconds }
  | Failure

interface Failure { readonly event: 'failed', readonly message: string }

/** One JSON line each on a router's standard output; anything else there is passed over. */
export type RouterReport = { readonly event: 'ready' } | Failure

export interface RouterState {
  /** As seen inside the bench. */
  readonly pid: number
  /** How it ended, when it has: `exit code 1`, `SIGSEGV`. */
  readonly ending: string | null
}

/** bench.json, written when the bench is ready and again when a router ends. */
export interface BenchRecord {
  readonly name: string
  readonly mode: Mode
  /** ISO 8601. */
  readonly started: string
  readonly namespaces: readonly PlannedNamespace[]
  readonly routers: Readonly<Record<string, RouterState>>
}

/** A line of JSON as far as it can be read: whatever else a program prints there is no report. */
export function readLine<T extends object>(line: string): Partial<T> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
