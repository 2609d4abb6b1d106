// The router's end of its control socket.
import { rmSync, statSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { describeBehaviour } from '../behaviour/describe-behaviour.js'
import type { RouterClock } from '../clock.js'
import { ConfigError } from '../fields.js'
import { parseBehaviour, parseStaticMapping } from '../behaviour/read-behaviour.js'
import type { Dataplane } from '../dataplane.js'
import { formatIpv4, parseIpv4 } from '../wire/address.js'
import { parseFlowFilter, selectMapping, type FlowFilterText } from './flow-filter.js'
import { recordToEvent, toSeconds } from './frame-event.js'
import { mappingToJson, parseRequest, type ClockJson, type ControlRequest, type ControlResults, type CountersJson, type InfoJson, type MappingJson, type RemovedJson } from './protocol.js'

/** Bytes of trace that a slow listener may have outstanding; what comes beyond that it misses, and is told so. */
const LISTENER_LIMIT = 64 << 20
/** Bytes that a request line may have: a behaviour with thousands of static mappings. */
const LINE_LIMIT = 1 << 20
/** sockaddr_un has 108, with the byte that ends it. Longer ones are cut without a word. */
const PATH_LIMIT = 107

export interface ControlHooks {
  /** The one that the data plane runs on. */
  readonly clock: RouterClock
  /** Name of the device kind, for `info`. */
  readonly device: string
  /** Finishes the capture files and gives their paths. */
  endCaptures(): Promise<readonly string[]>
}

/** Listens at `path`, in place of a socket that an earlier router left there. @throws ConfigError when the path cannot be used */
export async function serveControl(path: string, dataplane: Dataplane, hooks: ControlHooks): Promise<Server> {
  await makeWay(path)
  const server = createServer(socket => serveClient(socket, dataplane, hooks))
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(new ConfigError(`no control socket can be made at ${path} (${error.message})`)))
    server.listen(path, resolve)
  })
  return server
}

/** Removes a socket that nobody listens at any more. @throws ConfigError when something else is there */
async function makeWay(path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_LIMIT) throw new ConfigError(`no control socket can be made at ${path}: a socket's path may have ${PATH_LIMIT} bytes, and this one has ${Buffer.byteLength(path)}`)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new ConfigError(`no control socket can be made at ${path}: something else is there. Choose another path, or remove it`)
  if (await isListening(path)) throw new ConfigError(`a router listens at ${path} already. Choose another path, or end that router first`)
  rmSync(path)
}

const isListening = (path: string): Promise<boolean> => new Promise(resolve => {
  const probe = createConnection(path)
  probe.once('connect', () => {
    probe.destroy()
    resolve(true)
  })
  probe.once('error', () => resolve(false))
})

/** `drops`: only dropped frames. Asked for again, it takes the place of what was asked before. */
type StartTrace = (drops: boolean) => void

function serveClient(socket: Socket, dataplane: Dataplane, hooks: ControlHooks): void {
  const send = (message: object): void => { socket.write(`${JSON.stringify(message)}\n`) }
  let stopTrace: (() => void) | undefined
  const startTrace: StartTrace = drops => {
    let missed = 0
    stopTrace?.()
    stopTrace = dataplane.listen(record => {
      if (drops && record.action !== 'drop') return
      if (socket.writableLength > LISTENER_LIMIT) {
        missed++
        return
      }
      if (missed > 0) send({ event: 'missed', frames: missed })
      missed = 0
      send(recordToEvent(record))
    })
  }
  socket.on('error', () => socket.destroy())
  socket.on('close', () => stopTrace?.())
  // A line that never ends would be kept in memory.
  let unfinished = 0
  socket.on('data', (chunk: Buffer) => {
    const lineEnd = chunk.lastIndexOf(10)
    unfinished = lineEnd < 0 ? unfinished + chunk.length : chunk.length - lineEnd - 1
    if (unfinished > LINE_LIMIT) socket.destroy()
  })
  const lines = createInterface({ input: socket })
  // A readline interface repeats its input's errors, and throws where nobody hears them.
  lines.on('error', () => socket.destroy())
  lines.on('line', line => {
    void answer(line, dataplane, hooks, startTrace).then(send)
  })
}

async function answer(line: string, dataplane: Dataplane, hooks: ControlHooks, startTrace: StartTrace): Promise<object> {
  let id: unknown = null
  try {
    const message: unknown = JSON.parse(line)
    if (typeof message === 'object' && message !== null && 'id' in message) id = message.id
    return { id, ok: true, result: await perform(parseRequest(message), dataplane, hooks, startTrace) }
  } catch (error) {
    if (error instanceof ConfigError) return { id, ok: false, error: error.message }
    if (error instanceof SyntaxError) return { id, ok: false, error: 'a line of JSON is wanted, such as {"id":1,"op":"table"}' }
    return { id, ok: false, error: String(error) }
  }
}

async function perform(request: ControlRequest, dataplane: Dataplane, hooks: ControlHooks, startTrace: StartTrace): Promise<ControlResults[ControlRequest['op']]> {
  const { router, now } = dataplane
  switch (request.op) {
    case 'info': return info(dataplane, hooks)
    case 'table': return table(dataplane, request.filter)
    case 'counters': return counters(dataplane)
    case 'endCaptures': return hooks.endCaptures()
    case 'trace': startTrace(request.drops ?? false); return null
    case 'map': router.addStatic(parseStaticMapping({ protocol: request.protocol, wanPort: request.wanPort, address: request.address, port: request.port }), now); return null
    case 'unmap': router.removeStatic(request.protocol, request.wanPort, now); return null
    case 'nextPort': router.setNextPort(request.protocol, request.port); return null
    case 'behave': return settled(dataplane, router.setBehaviour(parseBehaviour(request.nat), now))
    case 'flush': return settled(dataplane, flush(dataplane, request.filter))
    case 'renumber': return settled(dataplane, router.renumber(parseIpv4(request.address), now))
    case 'clock': case 'freeze': case 'run': case 'advance': return turnClock(request, dataplane, hooks.clock)
  }
}

/** After a change: what the router has to say of it goes out, and timers are set for what is there now. */
function settled(dataplane: Dataplane, mappings: number): RemovedJson {
  dataplane.tick()
  return { mappings }
}

function turnClock(request: Extract<ControlRequest, { op: 'clock' | 'freeze' | 'run' | 'advance' }>, dataplane: Dataplane, clock: RouterClock): ClockJson {
  if (request.op === 'freeze') clock.freeze()
  if (request.op === 'run') clock.run(request.rate)
  if (request.op === 'advance') clock.advance(request.seconds * 1000)
  // What is due now is done, and timers that were set for the clock as it was are set anew.
  dataplane.tick()
  return { seconds: toSeconds(clock.now()), rate: clock.rate }
}

function table({ router, now }: Dataplane, filter: FlowFilterText = {}): MappingJson[] {
  const wanted = parseFlowFilter(filter)
  return router.table(now).map(row => selectMapping(row, wanted)).filter(row => row !== null).map(mappingToJson)
}

function flush({ router, now }: Dataplane, filter?: FlowFilterText): number {
  if (filter === undefined) return router.flush(now)
  const wanted = parseFlowFilter(filter)
  return router.flush(now, row => selectMapping(row, wanted) !== null)
}

const counters = (dataplane: Dataplane): CountersJson =>
  ({ ...dataplane.router.counters, devices: dataplane.deviceCounters, untraced: dataplane.traceLost, memory: process.memoryUsage.rss() })

function info({ router: { config } }: Dataplane, { device }: ControlHooks): InfoJson {
  const { lan, wan, nat } = config
  return {
    name: config.name, pid: process.pid, device,
    lan: { interface: lan.interface, address: `${formatIpv4(lan.prefix.address)}/${lan.prefix.length}` },
    wan: { interface: wan.interface, address: formatIpv4(wan.address) },
    nat: describeBehaviour(nat),
  }
}
