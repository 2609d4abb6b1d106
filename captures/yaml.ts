// The YAML library, loaded by the first who needs it: it takes 50 ms of processor time, and a good run of a system reads no YAML but
// its golden, which is plain (plain-yaml.ts).
import { createRequire } from 'node:module'

type Yaml = typeof import('yaml')

export function loadYaml(): Yaml { return createRequire(import.meta.url)('yaml') as Yaml }
