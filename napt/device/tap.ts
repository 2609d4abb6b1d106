// A TAP interface: the router is at its file, and whatever the kernel has at the other end is on the cable: a host's own interface, or
// a port of a bridge. No other interface stands between, as with a packet socket on a veth pair.
import { TapSocket, TUN_FILE, type TapOptions } from '../system/tap.js'
import { SystemError } from '../system/error.js'
import type { MacAddress } from '../wire/address.js'
import { RouterMemory } from '../router-memory.js'
import { DeviceError, type Device, type DeviceOptions } from './device.js'
import { SocketDevice } from './socket-device.js'

export interface TapDeviceOptions extends Partial<TapOptions>, DeviceOptions {
  /** The router's; unless given, that of the kernel's end with another last bit. */
  readonly mac?: MacAddress
}

/** Opens TAP `name` of this network namespace, or makes it, and sets it up. @throws DeviceError saying what to do */
export function openTap(name: string, { mac, offloads = true, memory = new RouterMemory() }: TapDeviceOptions = {}): Device {
  try {
    const socket = new TapSocket(name, { offloads }, memory)
    return new SocketDevice(name, socket, memory, mac ?? besides(socket.facts.mac))
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new DeviceError(`${error.message}. ${adviceFor(error, name)}`, { cause: error })
  }
}

/** The two ends of the cable must not have one address. */
function besides(mac: Uint8Array): MacAddress {
  const other = mac.slice()
  other[other.length - 1] ^= 1
  return other as MacAddress
}

/** How to get at TAPs, for who has not. */
export function adviceFor({ call, code }: SystemError, name: string): string {
  if (call === 'open' && code === 'EACCES') return `TAPs need ${TUN_FILE}, which this user may not open: sudo chmod 0666 ${TUN_FILE} (as Debian has it), or take another device.`
  if (call === 'open') return `TAPs need ${TUN_FILE}: sudo modprobe tun; a container is given it by --device ${TUN_FILE}. Or take another device.`
  if (code === 'EPERM') return 'Run as root, or on a bench (naptlab up, then naptlab exec).'
  if (code === 'EBUSY') return `Another program has '${name}' open.`
  return `An interface '${name}' that is no TAP may be there already; 'ip link' lists them. For the interfaces that a machine has, take device packet.`
}
