// libpcap through the package `cap`: the portable device, and the independent witness of what passes an interface. It is an
// optional package, because it is compiled against libpcap's headers.
//
// It knows neither partial checksums nor GSO: the interface's offloads have to be off. Deleting or downing the interface
// while it is open aborts the whole process (libpcap's doing), so close first.
import { createRequire } from 'node:module'
import type CapPackage from 'cap'
import { readInterface } from '../system/interface.js'
import { SystemError } from '../system/error.js'
import { formatMac, type MacAddress } from '../wire/address.js'
import { DeviceError, type Device, type DeviceCounters, type FrameBatch } from './device.js'
import { batchOf, copyOf, EMPTY } from './memory.js'

const KERNEL_BUFFER = 10 << 20
const LARGEST_FRAME = 65535

/** How to get `cap` on Debian, in one line. */
export const ADD_CAP = 'sudo apt-get install -y libpcap-dev && npm install --include=optional'

export interface Capture {
  /** The link type as libpcap names it; frames of any other than 'ETHERNET' are not understood here. */
  readonly linkType: string
  send(frame: Uint8Array): void
  close(): void
}

/**
 * Hands over every frame that passes an interface of the calling thread's network namespace; `frame` is the listener's to keep.
 * @param filter in libpcap's language; '' for everything
 * @throws DeviceError when `cap` is not there, or cannot open the interface
 */
export function openCapture(interfaceName: string, filter: string, onFrame: (frame: Uint8Array) => void): Capture {
  const cap = new (loadCap().Cap)(), buffer = Buffer.alloc(LARGEST_FRAME)
  let linkType: string
  try {
    linkType = cap.open(interfaceName, filter, KERNEL_BUFFER, buffer)
  } catch (error) {
    throw new DeviceError(`libpcap cannot open '${interfaceName}': ${error instanceof Error ? error.message : String(error)}. Check its name, and that you are root or on a bench.`, { cause: error })
  }
  cap.setMinBytes?.(0)
  // cap uses the one buffer again for every frame.
  cap.on('packet', (length: number) => onFrame(Uint8Array.prototype.slice.call(buffer, 0, length)))
  return {
    linkType,
    send: frame => { cap.send(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength), frame.byteLength) },
    close: () => { cap.close() },
  }
}

/** Whether the package is installed and built. */
export function hasCap(): boolean {
  try {
    loadCap()
    return true
  } catch {
    return false
  }
}

function loadCap(): typeof CapPackage {
  try {
    return createRequire(import.meta.url)('cap') as typeof CapPackage
  } catch (error) {
    throw new DeviceError(`the package 'cap', which reads interfaces through libpcap, is not installed. To add it: ${ADD_CAP}`, { cause: error })
  }
}

class LibpcapDevice implements Device {
  readonly name: string
  readonly mac: MacAddress
  readonly mtu: number
  readonly isPollable = false
  readonly #capture: Capture
  #waiting: Uint8Array[] = []
  #ready: (() => void) | undefined
  #received = 0
  #sent = 0
  #unsent = 0

  constructor(name: string, facts: { mac: MacAddress, mtu: number }) {
    this.name = name
    this.mac = facts.mac
    this.mtu = facts.mtu
    // What is sent here must not come in again. The filter `inbound` would say so directly, but with it the first frame after
    // the opening was lost (libpcap 1.10.3 on a veth).
    this.#capture = openCapture(name, `not ether src ${formatMac(facts.mac)}`, frame => {
      this.#waiting.push(frame)
      this.#ready?.()
    })
    if (this.#capture.linkType !== 'ETHERNET') {
      this.#capture.close()
      throw new DeviceError(`interface '${name}' carries ${this.#capture.linkType} frames; the router needs an Ethernet interface`)
    }
  }

  /** libpcap's own loss counter is out of cap's reach: `missed` stays 0. */
  get counters(): DeviceCounters { return { received: this.#received, sent: this.#sent, missed: 0, unsent: this.#unsent } }

  watch(ready: () => void): void { this.#ready = ready }

  receive(): FrameBatch {
    if (this.#waiting.length === 0) return EMPTY
    const batch = batchOf(this.#waiting)
    this.#waiting = []
    this.#received += batch.count
    return batch
  }

  forward(batch: FrameBatch, i: number): void { this.send(copyOf(batch, i)) }

  send(frame: Uint8Array): void {
    try {
      this.#capture.send(frame)
      this.#sent++
    } catch {
      // The interface refused the frame: its queue is full, or the frame longer than its MTU.
      this.#unsent++
    }
  }

  flush(): void { /* frames are out as soon as they are sent */ }
  close(): void { this.#capture.close() }
}

/** @throws DeviceError when `cap` or the interface is not there, or it is no Ethernet */
export function openLibpcap(interfaceName: string): Device {
  try {
    const { mac, mtu } = readInterface(interfaceName)
    return new LibpcapDevice(interfaceName, { mac: mac as MacAddress, mtu })
  } catch (error) {
    if (error instanceof SystemError) throw new DeviceError(`${error.message}. 'ip link' lists the interfaces of this namespace.`, { cause: error })
    throw error
  }
}
