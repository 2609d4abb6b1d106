// Puts each program together with all that it imports, below dist/bundle, where lab/program-path.ts finds it. What a program imports
// when it is needed is a file of its own. The compiler has checked the same sources before.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..'), outdir = join(root, 'dist', 'bundle')
const PROGRAMS = [
  'cli/command-line', 'lab/bench/keeper', 'lab/bench/router-process', 'lab/emit/emit-process', 'lab/programs/endpoint-process', 'lab/recording/record-process',
  'lab/recording/recorder-worker', 'lab/recording/switch-tap-process', 'lab/recording/witness',
]
/** Packages with machine code in them, and those that are there or not. */
const EXTERNAL = ['koffi', 'cap', 'raw-socket']
/** Of a package in two forms the modules, or the library that makes certificates would bring its parts in both, which take 20 ms longer to load. */
const MAIN_FIELDS = ['module', 'main']
/** For packages that are CommonJS and require Node's own modules. */
const REQUIRE = "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);"
const ALIAS = { 'string-width': join(root, 'scripts', 'plain-width.mjs') }

rmSync(outdir, { recursive: true, force: true })
// One by one: together they would share their parts, in files so small that finding them takes as long as before.
for (const program of PROGRAMS) {
  await build({
    entryPoints: [join(root, `${program}.ts`)], outdir, bundle: true, splitting: true, platform: 'node', format: 'esm', target: 'node20',
    external: EXTERNAL, mainFields: MAIN_FIELDS, alias: ALIAS, banner: { js: REQUIRE }, logLevel: 'warning',
  })
}
