// What a router and the thread that records it (recorder-worker.ts) tell each other.
import type { Side } from '../../napt/verdict.js'
import type { RecordedRouter } from './trace-file.js'

export interface RecorderJob {
  /** A TraceRing's. */
  readonly memory: SharedArrayBuffer
  readonly path: string
  readonly router: RecordedRouter
}

export type RecorderRequest =
  /** There is more in the ring. */
  | { readonly op: 'wake' }
  /** Nothing more comes. `dropped`: frames of each side that were not kept. */
  | { readonly op: 'end', readonly dropped: Readonly<Record<Side, number>> }

export type RecorderReport =
  | { readonly event: 'done' }
  | { readonly event: 'failed', readonly message: string, readonly code?: string }
