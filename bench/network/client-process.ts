// The near end of a measurement: `node client-process.js SERVER`, on the client's host. Reads requests from standard input, one at a
// time, and answers each with a line (protocol.ts). While it measures it never returns to the event loop.
import { createInterface } from 'node:readline'
import { ClientSide } from './client-side.js'
import { Datagrams } from './datagrams.js'
import { runConnections } from './connections.js'
import { runRoundTrips } from './round-trips.js'
import type { Request } from './protocol.js'

const [, , server] = process.argv
const side = new ClientSide(server)

function answer(request: Request): object {
  switch (request.op) {
    case 'hello': return { seenAs: side.hello() }
    case 'datagrams': return datagrams(request)
    case 'round-trips': return runRoundTrips(server, request.window)
    case 'connections': return runConnections(server, request.window)
  }
}

function datagrams({ flows, warmUp, window }: Request & { op: 'datagrams' }): object {
  const run = new Datagrams(side.path(), server, flows)
  try {
    return run.measure(warmUp, window)
  } finally {
    run.close()
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let result: object
  try {
    result = answer(JSON.parse(line) as Request)
  } catch (error) {
    result = { error: error instanceof Error ? error.message : String(error) }
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
