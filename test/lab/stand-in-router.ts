// In place of a router: opens its control socket, which tells its configuration to whoever connects, and says that it is
// ready. Its `nat` may ask for something worse.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { RouterConfig } from '../../lab/index.js'

const config = JSON.parse(readFileSync(process.argv[2], 'utf8')) as RouterConfig & { readonly nat?: { readonly behave?: string } }
const behave = config.nat?.behave ?? 'well'

if (behave === 'crash') throw new Error('no table to put mappings in')
if (behave === 'refuse') {
  process.stdout.write(`${JSON.stringify({ event: 'failed', message: 'the WAN interface is on fire' })}\n`)
} else {
  createServer(socket => socket.end(JSON.stringify(config))).listen(config.control, () => {
    if (behave !== 'silent') process.stdout.write(`{"event":"ready"}\n`)
  })
}
