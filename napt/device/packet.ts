// The default device: an AF_PACKET socket with the virtio header. It needs no compiler, and no root inside a user namespace.
import { PacketSocket } from '../system/packet-socket.js'
import { SystemError } from '../system/error.js'
import { RouterMemory } from '../router-memory.js'
import { DeviceError, type Device, type DeviceOptions } from './device.js'
import { SocketDevice } from './socket-device.js'

/** @throws DeviceError when there is no such interface, or no permission */
export function openPacket(interfaceName: string, { memory = new RouterMemory() }: DeviceOptions = {}): Device {
  try {
    return new SocketDevice(interfaceName, new PacketSocket(interfaceName, memory), memory)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new DeviceError(`${error.message}. ${adviceFor(error.code, interfaceName)}`, { cause: error })
  }
}

function adviceFor(code: string, name: string): string {
  if (code === 'EPERM' || code === 'EACCES') return 'Run as root, or on a bench (naptlab up, then naptlab exec).'
  if (code === 'ENODEV') return `There is no interface '${name}' in this network namespace; 'ip link' lists those that are.`
  return 'Check that the interface exists and is up.'
}
