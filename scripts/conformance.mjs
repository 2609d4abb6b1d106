// Writes docs/conformance.md from what the conformance cases give: `npm run conformance`. Review the difference before you commit
// it: what was met may be met no more.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeDocument } from '../dist/test/conformance/document.js'
import { runAll } from '../dist/test/conformance/results.js'

const results = runAll()
writeFileSync(join(import.meta.dirname, '..', 'docs', 'conformance.md'), writeDocument(results))
const broken = results.flatMap(({ rfc, requirement: { clause }, cases }) => cases.flatMap(({ name, failure }) => failure === null ? [] : [`${rfc} ${clause}: ${name}\n${failure}`]))
process.stdout.write(`docs/conformance.md: ${results.length} requirements, ${results.reduce((sum, { cases }) => sum + cases.length, 0)} cases\n`)
if (broken.length > 0) {
  process.stderr.write(`\nNot as written:\n\n${broken.join('\n\n')}\n`)
  process.exitCode = 1
}
