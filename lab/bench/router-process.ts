// The process of one router on a bench: `node router-process.js CONFIG.json`. Says `{"event":"ready"}` when it forwards.
import { readFileSync } from 'node:fs'
import { parseRouterProgram, runRouter } from './run-router.js'

const file = process.argv.at(2)
if (file === undefined) throw new Error('router-process: the path of a configuration is wanted')
try {
  const router = await runRouter(parseRouterProgram(JSON.parse(readFileSync(file, 'utf8'))))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => void router.close().finally(() => process.exit(0)))
  }
  process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
