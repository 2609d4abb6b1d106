// The rows of the tables in docs/nat.md, as the code gives them.
import { stringify } from 'yaml'
import { DEFAULT_BEHAVIOUR, type Behaviour } from '../../../napt/behaviour/behaviour.js'
import { CHOICES } from '../../../napt/behaviour/choices.js'
import { describeBehaviour } from '../../../napt/behaviour/describe-behaviour.js'
import { PRESETS } from '../../../napt/behaviour/presets.js'

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const flow = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()

export function choiceRows(): string[] {
  const defaults = describeBehaviour(DEFAULT_BEHAVIOUR)
  return (Object.keys(defaults) as (keyof Behaviour)[]).map(field => {
    const { meaning, values, rfc } = CHOICES[field]
    return row([`\`${field}\``, meaning, values, `\`${flow(defaults[field])}\``, rfc])
  })
}

export const presetRows = (): string[] => PRESETS.map(({ name, title, source }) => row([`\`${name}\``, title, source]))
