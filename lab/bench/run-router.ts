// A router as a program: two devices, the data plane between them, the control socket, and capture files of both sides.
// The bench starts it in each router's namespace (router-process.ts), `naptlab router` on any machine.
import { closeSync, openSync, rmSync } from 'node:fs'
import { ConfigError } from '../../napt/fields.js'
import { parseRouterConfig, type RouterConfig } from '../../napt/router-config.js'
import { RouterClock } from '../../napt/clock.js'
import { serveControl } from '../../napt/control/server.js'
import { Dataplane } from '../../napt/dataplane.js'
import type { Device } from '../../napt/device/device.js'
import { DEVICE_KINDS, deviceOpener, type DeviceKind, type OpenDevice } from '../../napt/device/open.js'
import { RouterMemory } from '../../napt/router-memory.js'
import type { Side } from '../../napt/verdict.js'
import { parseMac, type MacAddress } from '../../napt/wire/address.js'
import { inNamespace } from './namespaces.js'
import type { RouterInterface, TapEnd } from './protocol.js'
import { RouterRecorder } from '../recording/router-recorder.js'

export interface RouterProgram {
  readonly config: RouterConfig
  readonly device: DeviceKind
  /** Of device `tap` on a bench: the kernel's ends of the two, which are not where the router's process is. */
  readonly taps?: Readonly<Record<Side, TapPlace>>
  /** Path of the control socket. */
  readonly control: string
  /** Where to write a capture file of both sides, NAME.pcapng. */
  readonly captureFolder?: string
}

interface TapPlace extends TapEnd { readonly mac: MacAddress }

export interface RunningRouter {
  /** The capture file is finished under its name; the router goes on without. Gives its path, or none. @throws the system's error when it could not be written */
  endCaptures(): Promise<readonly string[]>
  /** Resolves when the capture file is finished, too. */
  close(): Promise<void>
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
    device: kind, control, ...tapsOf(lan, wan),
    ...(typeof captureFolder === 'string' ? { captureFolder } : {}),
  }
}

/** What the keeper has made, in its own words: nobody else writes them. */
function tapsOf(...sides: readonly unknown[]): Pick<RouterProgram, 'taps'> {
  const [lan, wan] = (sides as Partial<RouterInterface>[]).map(side => side.tap === undefined || side.mac === undefined ? [] : [{ ...side.tap, mac: parseMac(side.mac) }])
  return lan.length === 0 || wan.length === 0 ? {} : { taps: { lan: lan[0], wan: wan[0] } }
}

/** A bench says more of an interface than the router needs to know. */
function pick(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)))
}

/** Forwards from when the promise resolves on. @throws DeviceError, ConfigError, or the system's error for the socket or files */
export async function runRouter({ config, device, taps, control, captureFolder }: RouterProgram): Promise<RunningRouter> {
  const opened: Device[] = []
  try {
    const open = await deviceOpener(device), memory = new RouterMemory()
    for (const side of ['lan', 'wan'] as const) opened.push(taps === undefined ? open(config[side].interface, { memory }) : openThere(open, taps[side], memory))
    const [lan, wan] = opened
    const clock = new RouterClock()
    const dataplane = new Dataplane(config, { lan, wan }, clock, { memory })
    const recorder = captureFolder === undefined ? null : new RouterRecorder(dataplane, captureFolder)
    const endCaptures = async (): Promise<readonly string[]> => recorder === null ? [] : [await recorder.end()]
    const server = await serveControl(control, dataplane, { device, clock, endCaptures })
    dataplane.start()
    return {
      endCaptures,
      close: async () => {
        await recorder?.close()
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

/** A TAP in another namespace: its file is of use in every one. */
function openThere(open: OpenDevice, { namespace, interface: name, offloads, mac }: TapPlace, memory: RouterMemory): Device {
  const fd = openSync(namespace, 'r')
  try {
    return inNamespace({ name: namespace, path: namespace, fd }, () => open(name, { offloads: offloads === 'on', mac, memory }))
  } finally {
    closeSync(fd)
  }
}
