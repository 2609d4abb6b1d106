// docs/nat.md says of every choice and every preset what the code says.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { parseBehaviour } from '../../../napt/behaviour/read-behaviour.js'
import { choiceRows, presetRows } from './nat-doc-rows.js'

const guide = readFileSync(new URL('../../../../docs/nat.md', import.meta.url), 'utf8')
const tableUnder = (heading: string): string[] => {
  const section = guide.split(/^## /m).find(part => part.startsWith(`${heading}\n`)) ?? ''
  return section.split('\n').filter(line => line.startsWith('| `'))
}

t.test('the table of choices', async t => {
  t.same(tableUnder('The choices'), choiceRows())
})

t.test('the table of presets', async t => {
  t.same(tableUnder('Presets'), presetRows())
})

t.test('what it shows as YAML can be read', async t => {
  const blocks = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => parse(yaml) as { nat?: unknown })
  t.ok(blocks.length >= 2)
  for (const { nat } of blocks) t.doesNotThrow(() => parseBehaviour(nat), JSON.stringify(nat))
})
