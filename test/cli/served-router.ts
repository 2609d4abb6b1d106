// A router over memory devices behind a real control socket, for commands that speak to routers: no namespaces, no root.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { serveControl } from '../../napt/control/server.js'
import { DataplaneBench } from '../napt/dataplane-bench.js'

export interface ServedRouter {
  readonly b: DataplaneBench
  /** What the commands take in place of a router's name. */
  readonly path: string
}

/** Router 104b of Fig. 1, whose neighbours are known; it ends with the test. */
export async function serveRouter(t: Test, nat: Readonly<Record<string, unknown>> = {}): Promise<ServedRouter> {
  const folder = mkdtempSync(join(tmpdir(), 'napt-')), path = join(folder, 'control')
  const b = new DataplaneBench(nat)
  const server = await serveControl(path, b.dataplane, { device: 'memory', clock: b.clock, endCaptures: () => Promise.resolve([]) })
  t.teardown(() => {
    server.close()
    b.dataplane.close()
    rmSync(folder, { recursive: true })
  })
  b.greet('lan', '192.168.1.3')
  b.greet('wan', '130.74.23.6')
  return { b, path }
}
