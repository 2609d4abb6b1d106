// What was measured of one system in a comparison (compare.ts).
import type { MovingSystem } from './mover.js'

export interface CompareRow {
  readonly system: MovingSystem
  /** For people. */
  readonly title: string
  readonly bytes: number
  /** From the sender's first byte until the receiver had the last. */
  readonly seconds: number
  /** Bytes a second. */
  readonly throughput: number
  /** By the server's interface during the transfer, headers included. */
  readonly serverReceived: number
  readonly serverSent: number
  /** CPU seconds of the server's process during the transfer. */
  readonly serverCpu: number
}
