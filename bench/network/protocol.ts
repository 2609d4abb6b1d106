// What the bench asks of the client of a measurement, one JSON line each way (client-process.ts).

/** At the server. */
export const PORT = { sink: 9000, echo: 9001, connections: 9002, bulk: 9003 } as const

export type Request =
  /** Is the way there? Finds out which interface and next hop lead to the server. */
  | { readonly op: 'hello' }
  /** Small datagrams of so many flows as fast as they go; milliseconds before and in the window that counts. */
  | { readonly op: 'datagrams', readonly flows: number, readonly warmUp: number, readonly window: number }
  /** One datagram there and back after the other, for so many milliseconds. */
  | { readonly op: 'round-trips', readonly window: number }
  /** Short connections, several at a time, for so many milliseconds. */
  | { readonly op: 'connections', readonly window: number }

/** The source of the client's datagrams as the server sees it. */
export interface Hello { readonly seenAs: string }

export interface Datagrams {
  /** Within the window. Arrived: at the server's socket, with a good checksum. */
  readonly sent: number
  readonly arrived: number
  /** Milliseconds that the window lasted. */
  readonly elapsed: number
  /** CPU time of the processes in the router's namespace, milliseconds. */
  readonly routerCpu: number
  /** Of the whole machine: what it spent in softirqs, where the kernel forwards, milliseconds in steps of 10. */
  readonly softirq: number
}

/** Microseconds. */
export interface RoundTrips { readonly p50: number, readonly p99: number, readonly p999: number, readonly samples: number, readonly lost: number }

export interface Connections { readonly completed: number, readonly failed: number, readonly elapsed: number }

export interface Answers { 'hello': Hello, 'datagrams': Datagrams, 'round-trips': RoundTrips, 'connections': Connections }
