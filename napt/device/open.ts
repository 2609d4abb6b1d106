// Which kinds of device there are on a machine, by name.
import type { Device } from './device.js'

export const DEVICE_KINDS = ['packet', 'libpcap'] as const
export type DeviceKind = typeof DEVICE_KINDS[number]

/** Opens an interface of this network namespace. @throws DeviceError saying what to do */
export async function openDevice(kind: DeviceKind, interfaceName: string): Promise<Device> {
  // Loaded only when wanted: each brings a native library with it.
  if (kind === 'packet') return new (await import('./packet.js')).PacketDevice(interfaceName)
  return (await import('./libpcap.js')).openLibpcap(interfaceName)
}
