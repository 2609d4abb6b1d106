// Where the programs are that a person or a bench starts. Most of a short program's time goes into finding and opening the files that it
// imports, about 0.7 ms of processor time for each (Node 20); so the build puts each program together in few of them, below
// dist/bundle (scripts/bundle.mjs). Where the compiler has run since, or nobody put them together, the compiler's own files run.
//
// Files of the package are found from where this file is, and it is in dist/lab and, in a bundle, in dist/bundle: whatever takes
// import.meta.url for a path has to be as deep.
import { existsSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Written at the end of every build that changed something. */
const BUILD = new URL('../tsconfig.tsbuildinfo', import.meta.url)

/** @param module path of the program's own file below the package: `lab/bench/keeper` */
export function programPath(module: string): string {
  const bundle = new URL(`../bundle/${basename(module)}.js`, import.meta.url)
  return fileURLToPath(existsSync(bundle) && writtenAt(bundle) >= writtenAt(BUILD) ? bundle : new URL(`../${module}.js`, import.meta.url))
}

/** Milliseconds since 1970; 0 when it is not there. */
const writtenAt = (file: URL): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
