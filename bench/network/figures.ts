// What is measured of every router: the figures, and the measures that give them.
import type { Testbed } from './testbed.js'

export interface Figure {
  /** The table that it stands in. */
  readonly group: string
  readonly title: string
  readonly unit: string
  readonly digits: number
  readonly better: 'more' | 'less'
}

const DATAGRAMS = 'Small UDP packets (64 bytes), thousands a second that arrive', CPU = 'CPU time a packet at 64 flows, and what was lost of what was sent'
const BULK = 'Bulk TCP, Gbit/s', TIMES = 'Round trip of a small UDP packet, µs, and short TCP connections a second'
const rate = { group: DATAGRAMS, unit: 'kpps', digits: 0, better: 'more' } as const
const bulk = { group: BULK, unit: 'Gbit/s', digits: 2, better: 'more' } as const
const time = { group: TIMES, unit: 'µs', digits: 0, better: 'less' } as const

export const FIGURES = {
  udp1: { ...rate, title: '1 flow' },
  udp64: { ...rate, title: '64 flows' },
  udp4096: { ...rate, title: '4,096 flows' },
  cpu: { group: CPU, title: 'router, µs', unit: 'µs', digits: 2, better: 'less' },
  softirq: { group: CPU, title: 'softirqs of the machine, µs', unit: 'µs', digits: 2, better: 'less' },
  lost64: { group: CPU, title: 'lost, %', unit: '%', digits: 0, better: 'less' },
  out1: { ...bulk, title: '1 stream out' },
  in1: { ...bulk, title: '1 stream in' },
  out8: { ...bulk, title: '8 streams out' },
  in8: { ...bulk, title: '8 streams in' },
  p50: { ...time, title: 'p50' },
  p99: { ...time, title: 'p99' },
  p999: { ...time, title: 'p99.9' },
  connections: { group: TIMES, title: 'connections/s', unit: '/s', digits: 0, better: 'more' },
} as const satisfies Record<string, Figure>

export type FigureName = keyof typeof FIGURES
export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[]
/** A figure of one turn; none where it cannot be had of that router. */
export type Values = Readonly<Partial<Record<FigureName, number>>>

export interface Timing {
  /** Milliseconds of packets before the first round, before each window that counts, and in it. */
  readonly firstWarmUp: number
  readonly warmUp: number
  readonly window: number
  /** Of round trips and of connections. */
  readonly longWindow: number
  /** iperf3 counts whole ones. */
  readonly bulkSeconds: number
}

export interface Measure {
  readonly name: string
  /** The program that it needs beside the bench's own. */
  readonly program?: string
  /** Left out of a quick look. */
  readonly isExtra?: boolean
  run(testbed: Testbed, timing: Timing): Promise<Values>
}

const datagrams = (flows: number, figures: (rate: number, costs: Values) => Values): Measure => ({
  name: `small UDP, ${flows === 1 ? '1 flow' : `${flows} flows`}`,
  run: async (testbed, { warmUp, window }) => {
    const { sent, arrived, elapsed, routerCpu, softirq } = await testbed.ask({ op: 'datagrams', flows, warmUp, window })
    // What waited in a queue as the window began may make it a little more than was sent.
    const lost64 = sent === 0 ? 0 : Math.max(0, 1 - arrived / sent) * 100
    const costs = arrived === 0 ? {} : { ...testbed.entrant.isInKernel ? {} : { cpu: routerCpu * 1000 / arrived }, softirq: softirq * 1000 / arrived }
    return figures(arrived / elapsed, { ...costs, lost64 })
  },
})

const bulkTcp = (figure: FigureName, streams: number, direction: 'out' | 'in'): Measure => ({
  name: `bulk TCP, ${FIGURES[figure].title}`, program: 'iperf3', isExtra: streams > 1,
  run: async (testbed, { bulkSeconds }) => ({ [figure]: await testbed.bulk(streams, direction, bulkSeconds) / 1e9 }),
})

const roundTrips: Measure = {
  name: 'round trips',
  run: async (testbed, { longWindow: window }) => {
    const { p50, p99, p999 } = await testbed.ask({ op: 'round-trips', window })
    return { p50, p99, p999 }
  },
}

const shortConnections: Measure = {
  name: 'short connections',
  run: async (testbed, { longWindow: window }) => {
    const { completed, elapsed } = await testbed.ask({ op: 'connections', window })
    return { connections: completed / elapsed * 1000 }
  },
}

export const FLOWS = 64, MANY_FLOWS = 4096

export const MEASURES: readonly Measure[] = [
  datagrams(1, udp1 => ({ udp1 })), datagrams(FLOWS, (udp64, costs) => ({ udp64, ...costs })),
  bulkTcp('out1', 1, 'out'), bulkTcp('in1', 1, 'in'), bulkTcp('out8', 8, 'out'), bulkTcp('in8', 8, 'in'),
  roundTrips, shortConnections,
]
/** To be taken last: the flows stay for minutes, and slow whoever has a socket for each and polls them all. */
export const LAST_MEASURES: readonly Measure[] = [datagrams(MANY_FLOWS, udp4096 => ({ udp4096 }))]
