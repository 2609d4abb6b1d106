// Which file of a program runs: the one that was put together, unless the compiler has run since.
import { copyFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const SOURCE = fileURLToPath(new URL('../../lab/program-path.js', import.meta.url))
const PLAIN = 'dist/lab/bench/keeper.js', BUNDLE = 'dist/bundle/keeper.js', BUILD = 'dist/tsconfig.tsbuildinfo'

/** A package in which each of these files was written at that second, and what its program-path.js says, from both of its places. */
async function chosen(t: Test, files: Readonly<Record<string, number>>): Promise<string[]> {
  const folder = t.testdir({ 'package.json': '{ "type": "module" }' })
  for (const place of ['dist/lab', 'dist/lab/bench', 'dist/bundle']) mkdirSync(join(folder, place), { recursive: true })
  for (const [file, second] of Object.entries(files)) {
    writeFileSync(join(folder, file), '')
    utimesSync(join(folder, file), second, second)
  }
  return await Promise.all(['dist/lab', 'dist/bundle'].map(async place => {
    const copy = join(folder, place, 'program-path.js')
    copyFileSync(SOURCE, copy)
    const { programPath } = await import(copy) as typeof import('../../lab/program-path.js')
    return programPath('lab/bench/keeper').slice(folder.length + 1)
  }))
}

t.test('a bundle that is as new as the build', async t => t.same(await chosen(t, { [PLAIN]: 1, [BUILD]: 1000, [BUNDLE]: 1000 }), [BUNDLE, BUNDLE]))
t.test('a bundle of an older build', async t => t.same(await chosen(t, { [PLAIN]: 1, [BUILD]: 1001, [BUNDLE]: 1000 }), [PLAIN, PLAIN]))
t.test('no bundle', async t => t.same(await chosen(t, { [PLAIN]: 1, [BUILD]: 1000 }), [PLAIN, PLAIN]))
t.test('neither bundle nor build information, as in a package that somebody else has built', async t => t.same(await chosen(t, { [PLAIN]: 1 }), [PLAIN, PLAIN]))
t.test('a bundle without build information', async t => t.same(await chosen(t, { [PLAIN]: 1, [BUNDLE]: 1 }), [BUNDLE, BUNDLE]))
