// Writes captures/check/check.schema.json, by which editors know check files, from the shape that their reader goes by: `npm run schema`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHECK_SHAPE } from '../dist/captures/check/format.js'
import { toJsonSchema } from '../dist/captures/check/shape.js'

writeFileSync(join(import.meta.dirname, '..', 'captures', 'check', 'check.schema.json'), `${JSON.stringify(toJsonSchema(CHECK_SHAPE), null, 2)}\n`)
