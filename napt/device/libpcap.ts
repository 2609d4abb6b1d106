// libpcap through the package `cap`: the portable device, and the independent witness of what passes an interface. It is an
// optional package, because it is compiled against libpcap's headers.
//
// It knows neither partial checksums nor GSO: the interface's offloads have to be off. Deleting or downing the interface
// while it is open aborts the whole process (libpcap's doing), so close first.
import type { Cap } from 'cap'
import { readInterface } from '../system/interface.js'
import { SystemError } from '../system/error.js'
import type { MacAddress } from '../wire/address.js'
import { DeviceError, type Device, type DeviceCounters, type FrameBatch } from './device.js'
import { batchOf, copyOf } from './memory.js'

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

export type OpenCapture = (interfaceName: string, filter: string, onFrame: (frame: Uint8Array) => void) => Capture

/**
 * Loads `cap` and gives the function that opens captures. Opening does not wait, so that it happens in the network namespace
 * in which the calling thread is; `frame` is the listener's to keep; the filter is in libpcap's language, '' for everything.
 * @throws DeviceError when the package is not there; the function throws one when it cannot open the interface
 */
export async function loadCapture(): Promise<OpenCapture> {
  let constructor: typeof Cap
  try {
    constructor = (await import('cap')).Cap
  } catch (error) {
    throw new DeviceError(`the package 'cap', which reads interfaces through libpcap, is not installed. To add it: ${ADD_CAP}`, { cause: error })
  }
  return (interfaceName, filter, onFrame) => openWith(constructor, interfaceName, filter, onFrame)
}

function openWith(constructor: typeof Cap, interfaceName: string, filter: string, onFrame: (frame: Uint8Array) => void): Capture {
  const cap = new constructor(), buffer = Buffer.alloc(LARGEST_FRAME)
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

class LibpcapDevice implements Device {
  readonly name: string
  readonly mac: MacAddress
  readonly mtu: number
  readonly #capture: Capture
  #waiting: Uint8Array[] = []
  #ready: (() => void) | undefined
  #received = 0
  #sent = 0
  #unsent = 0

  constructor(name: string, facts: { mac: MacAddress, mtu: number }, open: (onFrame: (frame: Uint8Array) => void) => Capture) {
    this.name = name
    this.mac = facts.mac
    this.mtu = facts.mtu
    this.#capture = open(frame => {
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
export async function openLibpcap(interfaceName: string): Promise<Device> {
  let facts
  try {
    facts = readInterface(interfaceName)
  } catch (error) {
    if (error instanceof SystemError) throw new DeviceError(`${error.message}. 'ip link' lists the interfaces of this namespace.`, { cause: error })
    throw error
  }
  const open = await loadCapture()
  // The kernel's copies of what is sent here must not come in again.
  return new LibpcapDevice(interfaceName, { mac: facts.mac as MacAddress, mtu: facts.mtu }, onFrame => open(interfaceName, 'inbound', onFrame))
}
