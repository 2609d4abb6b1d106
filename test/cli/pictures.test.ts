// The pictures of ladders in docs/ are what the code draws of the goldens: none goes stale.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { naptlab } from './naptlab.js'

const PICTURES: Readonly<Record<string, readonly string[]>> = {
  'docs/fig2.svg': ['captures/golden/fig2/capture.pcapng', 'not', 'host', '51', '--title', 'naptlab run fig2, from its capture: each NAT has a lane, and what it changes stands out'],
  'docs/dropped.svg': ['captures/golden/fig11/capture.pcapng', '--title', 'naptlab run fig11: a stranger is dropped, until a static mapping lets it in'],
}

for (const [picture, words] of Object.entries(PICTURES)) {
  t.test(picture, async t => {
    const drawn = join(t.testdir(), 'drawn.svg')
    const { code, stderr } = await naptlab(['show', ...words, '--ladder', '-o', drawn])
    t.same([code, stderr], [0, ''])
    const isSame = readFileSync(drawn, 'utf8') === readFileSync(picture, 'utf8')
    t.ok(isSame, `${picture} is stale: look at it and draw it anew, node dist/cli/naptlab.js show ${words.map(word => /[^\w./-]/.test(word) ? `'${word}'` : word).join(' ')} --ladder -o ${picture}`)
    t.match(readFileSync('README.md', 'utf8') + readFileSync('docs/show.md', 'utf8'), picture.replace('docs/', ''), 'and it is shown somewhere')
  })
}
