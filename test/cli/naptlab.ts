// Runs the command line as a person would, to its end.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const NAPTLAB = fileURLToPath(new URL('../../cli/naptlab.js', import.meta.url))

export interface Ended { readonly code: number | null, readonly stdout: string, readonly stderr: string }

export async function naptlab(args: readonly string[], cwd = process.cwd(), env = process.env): Promise<Ended> {
  const child = spawn(process.execPath, [NAPTLAB, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (chunk: string) => { text[stream] += chunk })
  const [code] = await once(child, 'close') as [number | null]
  return { code, ...text }
}
