// What differs in the flows of a large golden: it holds only their digests, so their packets are taken from the capture beside it, and
// no others are kept.
import { canonicalizeFiles, type ReadingOptions } from '../canonical/canonical-files.js'
import type { CanonicalInterface } from '../canonical/canonical.js'
import type { Flow } from '../canonical/entries.js'
import { flowText } from './golden-compare.js'
import { checkCanonical, flowsOf, type Golden, type GoldenReport } from './golden.js'
import { endsTexts } from '../canonical/flow-table.js'
import { inputFiles, type InputFile } from '../files/input-files.js'
import type { PayloadDecoder } from '../decode/payload.js'

/** Flows that are looked into; of further ones it is said only that they differ. */
const MOST_FLOWS = 100

export interface LargeCheck {
  readonly golden: Golden
  /** The captures beside the golden. */
  readonly beside: readonly string[]
  readonly files: readonly InputFile[]
  /** Digests of what the files hold, under the golden's names. */
  readonly interfaces: ReadonlyMap<string, CanonicalInterface>
  /** The report by digests. */
  readonly report: GoldenReport
  readonly decoder: PayloadDecoder
  readonly partial: boolean
  readonly reading: ReadingOptions
  /** Gives interfaces the golden's names. */
  readonly named: (interfaces: ReadonlyMap<string, CanonicalInterface>) => ReadonlyMap<string, CanonicalInterface>
}

/** The report with the packets that differ; the one by digests where the capture beside the golden is missing, or shows no difference. */
export async function lookInto({ golden, beside, files, interfaces, report, decoder, partial, reading, named }: LargeCheck): Promise<GoldenReport> {
  const differing = differingFlows(golden.interfaces, flowsOf(interfaces))
  if (beside.length === 0 || differing.length === 0) return report
  const only = new Set(differing.slice(0, MOST_FLOWS).map(flow => endsTexts(flow)[0]))
  const options = { ...golden, digests: false, only, decoder }
  const before = await canonicalizeFiles(inputFiles(beside), options)
  const after = await canonicalizeFiles(files, options, reading)
  const found = checkCanonical(named(after.interfaces), { ...golden, digests: false, interfaces: flowsOf(before.interfaces) }, { keys: after.keys, partial })
  if (found.differences.length + found.missing.length + found.unexpected.length === 0) return report
  const rest = new Set(differing.filter(flow => !endsTexts(flow).some(each => only.has(each))).map(flowText))
  const inRest = (each: { readonly flow: string }): boolean => rest.has(each.flow)
  // A flow is looked into on every interface that has one between the same ends, the equal ones too.
  const again = new Set(found.flows.map(each => `${each.interface} ${each.flow}`))
  const flows = [...report.flows.filter(each => !again.has(`${each.interface} ${each.flow}`) && (each.compared > 0 || inRest(each))), ...found.flows]
  return {
    ...report,
    compared: flows.reduce((sum, each) => sum + each.compared, 0),
    flows,
    differences: [...found.differences, ...report.differences.filter(inRest)],
    missing: [...found.missing, ...report.missing.filter(inRest)],
    unexpected: [...found.unexpected, ...report.unexpected.filter(inRest)],
  }
}

/** Flows that only one side has just so. */
function differingFlows(wanted: ReadonlyMap<string, readonly Flow[]>, got: ReadonlyMap<string, readonly Flow[]>): Flow[] {
  return [...got].flatMap(([name, flows]) => {
    const others = wanted.get(name) ?? []
    const [before, after] = [others, flows].map(list => new Set(list.map(keyOf)))
    return [...others.filter(flow => !after.has(keyOf(flow))), ...flows.filter(flow => !before.has(keyOf(flow)))]
  })
}

const keyOf = (flow: Flow): string => `${endsTexts(flow)[0]} ${flow.digest?.blake2b ?? ''}`
