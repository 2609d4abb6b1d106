// Compiles the router's fast path (napt/assembly) into dist/fast-path.wasm, where napt/fast-path.ts finds it, unless that is newer.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..'), output = join(root, 'dist', 'fast-path.wasm')
const SOURCES = ['napt/assembly/forward.ts', 'napt/assembly/layout.ts', 'scripts/assembly.mjs', 'package-lock.json']

const writtenAt = path => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
if (SOURCES.some(source => writtenAt(join(root, source)) >= writtenAt(output))) await compile()

async function compile() {
  mkdirSync(join(root, 'dist'), { recursive: true })
  const { main } = await import('assemblyscript/asc')
  const { error } = await main([
    SOURCES[0], '--baseDir', root, '--outFile', 'dist/fast-path.wasm', '-O3', '--noAssert', '--runtime', 'stub',
    // A router's memory (napt/router-memory.ts).
    '--importMemory', '--sharedMemory', '--maximumMemory', '65536', '--enable', 'threads',
  ], { stdout: process.stdout, stderr: process.stderr })
  if (error !== null) process.exitCode = 1
}
