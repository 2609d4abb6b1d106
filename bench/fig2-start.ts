// How long `naptlab run fig2` takes from its start to its exit: a bench brought up, everybody on it, the whole sequence, all of it checked.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownEnvironment } from '../lab/process.js'
import { measure } from './process.js'

const NAPTLAB = fileURLToPath(new URL('../cli/naptlab.js', import.meta.url))

/** @param folder for the run's capture. @returns milliseconds. @throws BenchmarkError when the run fails */
export async function timeFig2(folder: string): Promise<number> {
  const { time } = await measure([process.execPath, NAPTLAB, 'run', 'fig2', '--out', join(folder, 'fig2')], ownEnvironment())
  return time
}
