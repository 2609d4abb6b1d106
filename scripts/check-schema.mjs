// Writes what is made from the shape that the reader of check files goes by: captures/check/check.schema.json, by which editors know
// check files, and the tables of docs/checks.md. `npm run schema`.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECK_SHAPE } from '../dist/captures/check/format.js'
import { toJsonSchema } from '../dist/captures/check/shape.js'
import { writeDocument } from '../dist/test/captures/check/document.js'

const root = join(import.meta.dirname, '..')
writeFileSync(join(root, 'captures', 'check', 'check.schema.json'), `${JSON.stringify(toJsonSchema(CHECK_SHAPE), null, 2)}\n`)
const document = join(root, 'docs', 'checks.md')
writeFileSync(document, writeDocument(readFileSync(document, 'utf8')))
