// The router's end of its control socket.
import { rmSync, statSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { ConfigError, parseStaticMapping, type Protocol } from '../behaviour.js'
import type { Dataplane } from '../dataplane.js'
import { formatIpv4 } from '../wire/address.js'
import { mappingToJson, parseRequest, recordToEvent, type ControlRequest, type ControlResults, type CountersJson, type InfoJson } from './protocol.js'

/** Bytes of trace that a slow listener may have outstanding; what comes beyond that it misses, and is told so. */
const LISTENER_LIMIT = 64 << 20
/** Bytes that a request line may have. */
const LINE_LIMIT = 1 << 16
/** sockaddr_un has 108, with the byte that ends it. Longer ones are cut without a word. */
const PATH_LIMIT = 107

export interface ControlHooks {
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

function serveClient(socket: Socket, dataplane: Dataplane, hooks: ControlHooks): void {
  const send = (message: object): void => { socket.write(`${JSON.stringify(message)}\n`) }
  let stopTrace: (() => void) | undefined
  const startTrace = (): void => {
    let missed = 0
    stopTrace ??= dataplane.listen(record => {
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

async function answer(line: string, dataplane: Dataplane, hooks: ControlHooks, startTrace: () => void): Promise<object> {
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

async function perform(request: ControlRequest, dataplane: Dataplane, hooks: ControlHooks, startTrace: () => void): Promise<ControlResults[ControlRequest['op']]> {
  const { router } = dataplane
  switch (request.op) {
    case 'info': return info(dataplane, hooks)
    case 'table': return router.table(dataplane.now).map(mappingToJson)
    case 'counters': return counters(dataplane)
    case 'endCaptures': return hooks.endCaptures()
    case 'trace': startTrace(); return null
    case 'map': router.addStatic(parseStaticMapping({ protocol: request.protocol, wanPort: request.wanPort, address: request.address, port: request.port }), dataplane.now); return null
    case 'unmap': router.removeStatic(request.protocol === 'tcp' ? 'tcp' : 'udp', request.wanPort); return null
    case 'advance': dataplane.advance(request.seconds * 1000); return null
    case 'nextPort': router.setNextPort(request.protocol as Protocol, request.port); return null
  }
}

const counters = (dataplane: Dataplane): CountersJson =>
  ({ ...dataplane.router.counters, devices: dataplane.deviceCounters, untraced: dataplane.traceLost, memory: process.memoryUsage.rss() })

function info({ router: { config } }: Dataplane, { device }: ControlHooks): InfoJson {
  const { lan, wan, nat } = config
  return {
    name: config.name, pid: process.pid, device,
    lan: { interface: lan.interface, address: `${formatIpv4(lan.prefix.address)}/${lan.prefix.length}` },
    wan: { interface: wan.interface, address: formatIpv4(wan.address) },
    mapping: nat.mapping, filtering: nat.filtering, portAllocation: nat.portAllocation,
  }
}
