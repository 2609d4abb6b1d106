// Which kinds of device there are on a machine, by name.
import type { Device } from './device.js'
import type { TapDeviceOptions } from './tap.js'

export const DEVICE_KINDS = ['packet', 'libpcap', 'tap'] as const
export type DeviceKind = typeof DEVICE_KINDS[number]

/** Opens an interface of the calling thread's network namespace. @throws DeviceError saying what to do */
export type OpenDevice = (interfaceName: string, options?: TapDeviceOptions) => Device

/** Loaded only when wanted: each kind brings a native library with it. The options are those of `tap`. */
export async function deviceOpener(kind: DeviceKind): Promise<OpenDevice> {
  switch (kind) {
    case 'packet': return (await import('./packet.js')).openPacket
    case 'libpcap': return (await import('./libpcap.js')).openLibpcap
    case 'tap': return (await import('./tap.js')).openTap
  }
}

/** Opens an interface of this network namespace; a TAP is made if it is not there. @throws DeviceError saying what to do */
export async function openDevice(kind: DeviceKind, interfaceName: string): Promise<Device> {
  return (await deviceOpener(kind))(interfaceName)
}
