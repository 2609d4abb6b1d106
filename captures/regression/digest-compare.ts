// Compares the flows of one interface with those of a large golden, by their digests: whether a flow is the same, not what of it
// differs. For that see golden-large.ts.
import type { Flow } from '../canonical/entries.js'
import { FlowsByEnds, flowText, type ComparedFlow, type Comparison, type Difference, type Unpaired } from './golden-compare.js'

/** Both sides with their `any` values numbered (bindings.ts), and with digests. */
export function compareDigests(name: string, wanted: readonly Flow[], got: readonly Flow[]): Comparison {
  const left = new FlowsByEnds(got)
  const flows: ComparedFlow[] = [], differences: Difference[] = [], missing: Unpaired[] = []
  const add = (flow: Flow, compared: number): unknown => flows.push({ interface: name, flow: flowText(flow), compared })
  for (const flow of wanted) {
    const match = left.take(flow)
    const isEqual = match !== undefined && match.digest?.blake2b === flow.digest?.blake2b && packetsOf(match) === packetsOf(flow)
    add(flow, isEqual ? packetsOf(flow) : 0)
    if (match === undefined) missing.push(unpaired(name, flow))
    else if (!isEqual) differences.push(difference(name, flow, match))
  }
  const unexpected = left.rest().map(flow => unpaired(name, flow))
  for (const { flow } of unexpected) flows.push({ interface: name, flow, compared: 0 })
  return { compared: flows.reduce((sum, each) => sum + each.compared, 0), flows, differences, missing, unexpected }
}

/** As many packets and messages as the flow's digest stands for. */
export const packetsOf = (flow: Flow): number => flow.digest?.packets ?? flow.entries.length

const unpaired = (name: string, flow: Flow): Unpaired => ({ interface: name, frame: null, flow: flowText(flow), packet: `all ${packetsOf(flow)} packets` })

function difference(name: string, wanted: Flow, got: Flow): Difference {
  const counts = packetsOf(wanted) !== packetsOf(got)
  return {
    interface: name, frame: null, flow: flowText(wanted), packet: 'the packets', again: 0, field: counts ? 'count' : 'content',
    wanted: textOf(wanted, counts), got: textOf(got, counts),
    cause: counts ? 'packets were lost, or sent more often' : 'a packet was changed, or came in another order; the capture beside the golden tells which',
  }
}

const textOf = (flow: Flow, counts: boolean): string => counts ? String(packetsOf(flow)) : `blake2b ${flow.digest?.blake2b.slice(0, 16) ?? ''}…`
