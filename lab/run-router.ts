// A router as a program: two devices, the data plane between them, the control socket, and capture files of both sides.
// The bench starts it in each router's namespace (router-process.ts), `naptlab router` on any machine.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../napt/fields.js'
import { parseRouterConfig, type RouterConfig } from '../napt/router-config.js'
import { RouterClock } from '../napt/clock.js'
import { serveControl } from '../napt/control/server.js'
import { Dataplane } from '../napt/dataplane.js'
import type { Device } from '../napt/device/device.js'
import { DEVICE_KINDS, openDevice, type DeviceKind } from '../napt/device/open.js'
import type { Side } from '../napt/verdict.js'
import { PcapWriter } from '../captures/pcap-writer.js'

export interface RouterProgram {
  readonly config: RouterConfig
  readonly device: DeviceKind
  /** Path of the control socket. */
  readonly control: string
  /** Where to write a capture file of each side, NAME-lan.pcap and NAME-wan.pcap. */
  readonly captureFolder?: string
}

export interface RunningRouter {
  /** The capture files are finished under their names; the router goes on without. Gives their paths. */
  endCaptures(): readonly string[]
  close(): void
}

/** Reads what a bench, or a file for `naptlab router`, says of a router. @throws ConfigError naming the field */
export function parseRouterProgram(value: unknown): RouterProgram {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  const { device = 'packet', control, captureFolder, name, lan, wan, nat, seed = 1 } = fields
  const kind = DEVICE_KINDS.find(candidate => candidate === device)
  if (kind === undefined) throw new ConfigError(`device is ${JSON.stringify(device)}; wanted is one of ${DEVICE_KINDS.join(', ')}`)
  if (typeof control !== 'string') throw new ConfigError('control is missing: the path of the control socket')
  return {
    config: parseRouterConfig({
      name, lan: pick(lan, ['interface', 'address']), wan: pick(wan, ['interface', 'address', 'gateway']), ...(nat === undefined ? {} : { nat }),
      seed: typeof seed === 'string' && /^\d+$/.test(seed) ? Number(seed) : seed,
    }),
    device: kind, control,
    ...(typeof captureFolder === 'string' ? { captureFolder } : {}),
  }
}

/** A bench says more of an interface than the router needs to know. */
function pick(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)))
}

/** Forwards from when the promise resolves on. @throws DeviceError, ConfigError, or the system's error for the socket or files */
export async function runRouter({ config, device, control, captureFolder }: RouterProgram): Promise<RunningRouter> {
  const opened: Device[] = []
  try {
    for (const side of ['lan', 'wan'] as const) opened.push(await openDevice(device, config[side].interface))
    const [lan, wan] = opened
    const clock = new RouterClock()
    const dataplane = new Dataplane(config, { lan, wan }, clock)
    const endCaptures = captureFolder === undefined ? () => [] : capture(dataplane, captureFolder, config.name)
    const server = await serveControl(control, dataplane, { device, clock, endCaptures: () => Promise.resolve(endCaptures()) })
    dataplane.start()
    return {
      endCaptures,
      close: () => {
        endCaptures()
        server.close()
        rmSync(control, { force: true })
        dataplane.close()
      },
    }
  } catch (error) {
    for (const each of opened) each.close()
    throw error
  }
}

/** Writes what passes each side, in either direction, until the returned function is called. */
function capture(dataplane: Dataplane, folder: string, name: string): () => readonly string[] {
  const writer = (side: Side): PcapWriter => new PcapWriter(join(folder, `${name}-${side}.pcap`))
  const writers = { lan: writer('lan'), wan: writer('wan') }
  const stop = dataplane.listen(({ time, waited, received, sent }) => {
    if (received !== undefined && waited === undefined) writers[received.side].write(time, received.frame)
    if (sent !== undefined) writers[sent.side].write(time, sent.frame)
  })
  return () => {
    stop()
    writers.lan.close()
    writers.wan.close()
    return [writers.lan.path, writers.wan.path]
  }
}
