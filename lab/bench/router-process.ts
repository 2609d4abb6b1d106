// The process of one router on a bench: `node router-process.js CONFIG.json`. Says `{"event":"ready"}` when it forwards.
import { readFileSync } from 'node:fs'
import { SystemError } from '../../napt/system/error.js'
import { RouteSocket } from './netlink.js'
import { parseRouterProgram, runRouter, type RouterProgram } from './run-router.js'

const file = process.argv.at(2)
if (file === undefined) throw new Error('router-process: the path of a configuration is wanted')
try {
  const program = parseRouterProgram(JSON.parse(readFileSync(file, 'utf8')))
  keepFramesFromKernel(program)
  const router = await runRouter(program)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => void router.close().finally(() => process.exit(0)))
  }
  process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

/** The router is alone with its interfaces: the kernel has no address there. It works without this too, only slower. */
function keepFramesFromKernel({ config, taps }: RouterProgram): void {
  if (taps !== undefined) return
  const socket = new RouteSocket()
  try {
    for (const side of ['lan', 'wan'] as const) socket.dropIncoming(socket.link(config[side].interface).index)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
  } finally {
    socket.close()
  }
}
