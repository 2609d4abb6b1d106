// A report on a golden as test points, for the machines that run tests: one for each flow, and one for each interface.
import type { Difference, Unpaired } from './golden-compare.js'
import type { GoldenReport } from './golden.js'

export interface TestPoint {
  readonly name: string
  /** null: was not checked, and need not be. */
  readonly ok: boolean | null
  /** What to know about one that is not ok; plain values. */
  readonly details: TestDetails
}

export interface TestDetails {
  readonly message: string
  readonly compared?: number
  readonly differences?: readonly Omit<Difference, 'interface' | 'flow'>[]
  readonly missing?: readonly string[]
  readonly unexpected?: readonly { readonly frame: number | null, readonly packet: string }[]
}

/** @param isPartial whether interfaces without a capture may be left out */
export function pointsOf(report: GoldenReport, isPartial = false): TestPoint[] {
  if (report.result === 'no golden') return [{ name: 'there is a golden', ok: false, details: { message: `there is no golden ${report.golden}` } }]
  const interfaces = [...report.ignored.keys()]
  const points = [
    ...interfaces.flatMap(name => [interfacePoint(report, name), ...flowPoints(report, name)]),
    ...report.uncaptured.map((name): TestPoint => ({ name: `${name} was captured`, ok: isPartial ? null : false, details: { message: 'there is no capture of this interface' } })),
  ]
  return report.result === 'nothing compared' ? [...points, { name: 'packets were compared', ok: false, details: { message: 'not one packet was compared' } }] : points
}

/** Frames that are wrong in themselves belong to no flow. */
function interfacePoint({ differences }: GoldenReport, name: string): TestPoint {
  const broken = differences.filter(each => each.interface === name && each.flow === '')
  return { name: `${name} whole, all checksums right`, ok: broken.length === 0, details: { message: `${broken.length} frames are wrong`, ...listed({ differences: broken.map(withoutPlace) }) } }
}

function flowPoints(report: GoldenReport, name: string): TestPoint[] {
  const [differences, missing, unexpected] = [report.differences, report.missing, report.unexpected].map(list => byFlow(list, name)) as [Map<string, Difference[]>, Map<string, Unpaired[]>, Map<string, Unpaired[]>]
  return report.flows.filter(each => each.interface === name).map(({ flow, compared }) => {
    const found = {
      differences: (differences.get(flow) ?? []).map(withoutPlace),
      missing: (missing.get(flow) ?? []).map(({ packet }) => packet),
      unexpected: (unexpected.get(flow) ?? []).map(({ frame, packet }) => ({ frame, packet })),
    }
    const counts = Object.entries(found).map(([kind, list]) => [kind, list.length] as const).filter(([, count]) => count > 0)
    return { name: `${name} ${flow}`, ok: counts.length === 0, details: { message: counts.map(([kind, count]) => `${count} ${kind}`).join(', '), compared, ...listed(found) } }
  })
}

function byFlow<T extends Pick<Unpaired, 'interface' | 'flow'>>(list: readonly T[], name: string): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const each of list) {
    if (each.interface !== name) continue
    const known = found.get(each.flow)
    if (known === undefined) found.set(each.flow, [each])
    else known.push(each)
  }
  return found
}

const withoutPlace = ({ frame, packet, field, wanted, got, cause, again }: Difference): Omit<Difference, 'interface' | 'flow'> => ({ frame, packet, field, wanted, got, cause, again })

/** Without those that are empty. */
const listed = <T extends Readonly<Record<string, readonly unknown[]>>>(lists: T): Partial<T> =>
  Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) as Partial<T>
