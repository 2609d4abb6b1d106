// A NAT as YAML for people: what it is and rests on, then each choice with what it means.
import { stringify } from 'yaml'
import type { Behaviour } from '../napt/behaviour/behaviour.js'
import { CHOICES } from '../napt/behaviour/choices.js'
import { describeBehaviour, type BehaviourData } from '../napt/behaviour/describe-behaviour.js'
import { presetNamed } from '../napt/behaviour/presets.js'
import { parseBehaviour } from '../napt/behaviour/read-behaviour.js'
import type { NamedNat } from '../lab/read-nat.js'

const WIDTH = 110
/** What choices.ts says where no RFC speaks of a choice. */
const NO_RFC = '—'
const FIELDS = Object.keys(CHOICES) as (keyof Behaviour)[]

/** Every choice of a NAT, with what its preset and the defaults leave unsaid. */
export const behaviourOf = ({ name, nat }: NamedNat): BehaviourData => describeBehaviour(parseBehaviour(nat, name))

/** As a file that natNamed reads again: what the NAT itself says, or with `all` every choice. */
export function natLines(named: NamedNat, all: boolean): string[] {
  const fields: Readonly<Record<string, unknown>> = typeof named.nat === 'string' ? { preset: named.nat } : named.nat
  const preset = typeof fields.preset === 'string' ? presetNamed(fields.preset) : undefined
  const whole = behaviourOf(named)
  const said = FIELDS.filter(field => all || field in fields || (preset !== undefined && field in preset.nat))
  const base = typeof named.nat === 'string' ? '' : 'On top of the preset '
  const about = preset === undefined ? [] : [...comment(`${base}${preset.name}: ${preset.title}`), ...comment(`Source: ${preset.source}.`)]
  const observed = named.observed === undefined ? [] : stringify({ observed: named.observed }).trimEnd().split('\n')
  if (said.length === 0) return [...about, ...observed, 'nat: {} # every choice as the RFCs recommend; --all shows them']
  return [...about, ...observed, 'nat:', ...said.flatMap(field => {
    const value = all ? whole[field] : onlySaid(whole[field], fields[field], preset?.nat[field])
    return [...comment(meaningOf(field), '  '), `  ${field}: ${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()}`]
  })]
}

function meaningOf(field: keyof Behaviour): string {
  const { meaning, rfc } = CHOICES[field]
  return rfc === NO_RFC ? meaning : `${meaning} (${rfc})`
}

/** Of a set such as timeouts, the members that somebody named. */
function onlySaid(value: unknown, ...sources: readonly unknown[]): unknown {
  const sets = sources.filter(source => typeof source === 'object' && source !== null && !Array.isArray(source))
  if (sets.length === 0 || sets.length < sources.filter(source => source !== undefined).length) return value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => sets.some(set => name in (set as object))))
}

function comment(text: string, indent = ''): string[] {
  const lines: string[] = []
  let line = `${indent}#`
  for (const word of text.split(' ')) {
    if (line.length + word.length >= WIDTH) {
      lines.push(line)
      line = `${indent}#`
    }
    line += ` ${word}`
  }
  return [...lines, line]
}
