// Runs a case on a router of its own, and says where it did not go as written.
import { DEFAULT_BEHAVIOUR } from '../../napt/behaviour/behaviour.js'
import { ConfigError } from '../../napt/fields.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { IP } from '../napt/frames.js'
import { RouterBench, type Outcome } from '../napt/router-bench.js'
import { detailsIn, formatFrame, parseFrame } from './frame-text.js'
import { named } from './names.js'
import { Reassembly } from './reassembly.js'
import type { Case, NatFields, Refusal } from './requirement.js'
import { parseScript, type Step } from './script.js'
import { Variables } from './variables.js'

/** RouterBench's router has ports of its own choice; here nothing but the defaults counts. */
const DEFAULTS: NatFields = { portAllocation: DEFAULT_BEHAVIOUR.portAllocation, firstPort: DEFAULT_BEHAVIOUR.firstPort }

/** Null when it went as written; else the line, and what came of it. */
export function runCase({ setup = {}, option = {}, mtu = {}, script }: Case): string | null {
  try {
    const run = { bench: new RouterBench({ nat: { ...DEFAULTS, ...setup, ...option }, mtu }), variables: new Variables(), reassembly: new Reassembly() }
    for (const step of parseScript(script)) {
      const difference = runStep(step, run)
      if (difference !== null) return difference
    }
    return run.reassembly.defect
  } catch (error) {
    // A configuration that is refused, a script that is none: the other cases have nothing to do with it.
    return String(error)
  }
}

/** Null when it was refused as written. */
export function runRefusal({ lanAddress, renumberTo, refusal }: Refusal): string | null {
  try {
    const { router, now } = new RouterBench({ nat: DEFAULTS, ...(lanAddress === undefined ? {} : { lanAddress }) })
    if (renumberTo !== undefined) router.renumber(parseIpv4(renumberTo), now)
  } catch (error) {
    if (error instanceof ConfigError && refusal.test(error.message)) return null
    return `refused, but with: ${String(error)}`
  }
  return 'accepted'
}

interface Run { readonly bench: RouterBench, readonly variables: Variables, readonly reassembly: Reassembly }

function runStep(step: Step, run: Run): string | null {
  switch (step.kind) {
    case 'where': return run.variables.check(step.relation) ? null : `${step.line}: but ${run.variables.describe(step.relation)}`
    case 'pass': {
      const abandoned = run.bench.abandonedFrames.length
      run.bench.pass(step.milliseconds)
      const dropped = run.bench.abandonedFrames.slice(abandoned).map(({ reason }) => `dropped ${reason}`)
      return compare(step.line, step.wanted, dropped, run)
    }
    case 'frame': {
      const line = run.variables.filledIn(step.line)
      const outcome = run.bench.send(step.side, parseFrame(run.variables.filledIn(step.frame)))
      return compare(line, step.wanted, verdictOf(outcome), run)
    }
  }
}

const verdictOf = ({ action, reason }: Outcome): string[] => action === 'drop' ? [`dropped ${reason ?? ''}`] : action === 'hold' ? ['held'] : []

function compare(line: string, wanted: readonly string[], verdict: readonly string[], { bench, variables, reassembly }: Run): string | null {
  const { sentFrames } = bench
  for (const { side, frame } of sentFrames) if (ipv4.isFragment(frame, IP)) reassembly.add(side, frame)
  const lines = [...verdict, ...sentFrames.map(({ side, frame }, i) => `${side} ${formatFrame(frame, detailsIn(wanted[verdict.length + i] ?? ''))}`)]
  const agrees = wanted.length === 1 && wanted[0] === 'nothing' ? sentFrames.length === 0
    : wanted.length === 1 && wanted[0] === 'anything' ? true
    : wanted.length === lines.length && wanted.every((one, i) => variables.match(named(one), lines[i]))
  return agrees ? null : [line, ...lines.map(one => `→ ${one}`), ...(lines.length === 0 ? ['→ (nothing)'] : []), 'wanted:', ...wanted.map(one => `→ ${variables.filledIn(one)}`), ...(wanted.length === 0 ? ['→ (nothing)'] : [])].join('\n')
}
