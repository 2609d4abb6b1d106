// One interface through libpcap, each frame with the way that it goes.
import type { Direction } from '../../captures/files/pcapng/format.js'
import { openCapture, type Capture } from '../../napt/device/libpcap.js'
import { DeviceError } from '../../napt/device/device.js'
import { SystemError } from '../../napt/system/error.js'
import { readInterface } from '../../napt/system/interface.js'
import * as ethernet from '../../napt/wire/ethernet.js'

/**
 * An interface of the calling thread's network namespace. `frame` is the listener's to keep; outbound is what has the interface's
 * own MAC address for its source.
 * @param filter in libpcap's language; '' for everything
 * @throws DeviceError when there is no such interface, it is no Ethernet, or it cannot be opened
 */
export function captureInterface(name: string, filter: string, onFrame: (frame: Uint8Array, direction: Direction) => void): Capture {
  const mac = macOf(name)
  const capture = openCapture(name, filter, frame => onFrame(frame, mac.equals(ethernet.source(frame, 0)) ? 'outbound' : 'inbound'))
  if (capture.linkType === 'ETHERNET') return capture
  capture.close()
  throw new DeviceError(`interface '${name}' carries ${capture.linkType} frames; only Ethernet is recorded`)
}

function macOf(name: string): Buffer {
  try {
    return Buffer.from(readInterface(name).mac)
  } catch (error) {
    if (error instanceof SystemError) throw new DeviceError(`${error.message}. 'ip link' lists the interfaces that are there.`, { cause: error })
    throw error
  }
}
