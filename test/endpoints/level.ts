// Whether a thousand sessions leave something behind: open files, whatever keeps the process alive, objects, memory.
import { readdirSync } from 'node:fs'
import { queryObjects, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Test } from 'tap'

export const SESSIONS = 1000
/** More objects afterwards than before; one that each session forgets would be SESSIONS. */
const OBJECTS = SESSIONS / 5
/** Bytes of the heap a session. What the engine compiles and notes meanwhile is some 600. */
const HEAP = 2048
const WARM_UP = 200

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

interface Level { readonly handles: Readonly<Record<string, number>>, readonly files: number, readonly objects: number, readonly heap: number, readonly buffers: number }

async function levelNow(): Promise<Level> {
  for (let round = 0; round < 4; round++) { // what is freed in one turn of the event loop frees more in the next
    await new Promise(setImmediate)
    collect()
  }
  const objects = queryObjects(Object, { format: 'count' }) // functions, arrays, promises and sockets too
  const handles: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) if (kind !== 'Immediate') handles[kind] = (handles[kind] ?? 0) + 1
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { handles, files: readdirSync('/proc/self/fd').length, objects, heap: heapUsed, buffers: arrayBuffers }
}

/**
 * Runs SESSIONS sessions after some that warm the machine up, and compares before and after.
 * @param run runs that many; the first has the number `from`
 * @param settled resolves when all of them are over at the server too
 */
export async function staysLevel(t: Test, run: (from: number, count: number) => Promise<void>, settled: () => Promise<void>): Promise<void> {
  await run(0, WARM_UP)
  await settled()
  const before = await levelNow()
  await run(WARM_UP, SESSIONS)
  await settled()
  const after = await levelNow()
  t.same(after.handles, before.handles, 'nothing more keeps the process alive')
  t.equal(after.files, before.files, 'as many open files')
  t.ok(after.objects < before.objects + OBJECTS, `${before.objects} objects before, ${after.objects} after`)
  t.ok(after.heap < before.heap + SESSIONS * HEAP, `${before.heap} bytes of the heap before, ${after.heap} after`)
  t.ok(after.buffers < before.buffers + (1 << 20), `${before.buffers} bytes of buffers before, ${after.buffers} after`)
}

/** Shows that `staysLevel` would see one forgotten closure a session. */
export async function leakIsSeen(t: Test): Promise<void> {
  const before = await levelNow(), forgotten = new Set<() => number>()
  for (let at = 0; at < SESSIONS; at++) forgotten.add(() => at)
  const after = await levelNow()
  t.ok(after.objects > before.objects + OBJECTS, `${forgotten.size} forgotten closures: ${before.objects} objects before, ${after.objects} after`)
}
