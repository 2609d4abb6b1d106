// A packet of a capture as it would come to the router's cable, which is Ethernet without tags; a capture's need not be, so IPv4
// packets of other links get an Ethernet header. One object is used again for every packet: nothing is made for one that is Ethernet
// already, which is left where it lies.
import { decodeLink, LINK_TYPE } from '../../captures/decode/link-layer.js'
import type { PacketBatch } from '../../captures/files/packet-batch.js'
import type { CaptureInterface, Direction } from '../../captures/files/pcapng/format.js'
import type { Side } from '../../napt/verdict.js'
import { parseMac, type Ipv4Address } from '../../napt/wire/address.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'

/** Where a link has no addresses of its own, all stations look alike. */
const ANYBODY = parseMac('02:00:00:00:00:02'), ROUTER = parseMac('02:00:00:00:00:01')
const NOBODY = 0 as Ipv4Address
// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const ETHERNET = LINK_TYPE.ethernet, TYPE_IPV4 = ethernet.TYPE.ipv4, IP = ethernet.HEADER, IPV4_HEADER = ipv4.MINIMUM_HEADER
const TYPE_AT = IP - 2
const NO_INTERFACE: CaptureInterface = { id: 0, name: '', description: '', linkType: LINK_TYPE.ethernet, snapLength: 0 }

export class Frame {
  /** The frame is `bytes[start, end)`. */
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  end = 0
  /** On the wire. */
  originalLength = 0
  /** In its file. */
  number = 0
  /** The halves of its time, nanoseconds since 1970, as signed numbers: an unsigned one above 2^31 is an allocation. */
  timeHigh = 0
  timeLow = 0
  interface: CaptureInterface = NO_INTERFACE
  direction: Direction | null = null
  /** The file's, where it is of one side. */
  side: Side | null = null
  /** Whether it is an IPv4 packet, as far as its header goes; then these are its addresses. */
  isIpv4 = false
  source = NOBODY
  destination = NOBODY

  /** The memory that was looked at last: by words, headers are read three times as fast. */
  #memory: Uint8Array = this.bytes
  #words = new DataView(this.bytes.buffer)

  /** `bytes`, by words. */
  get words(): DataView {
    if (this.bytes !== this.#memory) {
      this.#memory = this.bytes
      this.#words = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
    }
    return this.#words
  }

  load(batch: PacketBatch, i: number, side: Side | null): void {
    const start = batch.starts[i], end = batch.ends[i]
    // What is there already is not stored anew: a reference costs the garbage collector's note of it.
    if (this.bytes !== batch.memory) this.bytes = batch.memory
    this.start = start
    this.end = end
    this.originalLength = batch.originalLengths[i]
    this.number = batch.firstNumber + i
    this.timeHigh = batch.timesHigh[i] | 0
    this.timeLow = batch.timesLow[i] | 0
    const from = batch.interface(i)
    if (this.interface !== from) this.interface = from
    this.direction = batch.direction(i)
    this.side = side
    const { words } = this
    if (from.linkType === ETHERNET && end - start >= IP + IPV4_HEADER && words.getUint16(start + TYPE_AT) === TYPE_IPV4) {
      this.isIpv4 = true
      this.source = words.getInt32(start + IP + 12) as Ipv4Address
      this.destination = words.getInt32(start + IP + 16) as Ipv4Address
      return
    }
    this.isIpv4 = this.#becomeIpv4()
    if (!this.isIpv4) return
    this.source = ipv4.source(this.bytes, this.start + IP)
    this.destination = ipv4.destination(this.bytes, this.start + IP)
  }

  /** A view. */
  get view(): Uint8Array { return this.bytes.subarray(this.start, this.end) }

  #becomeIpv4(): boolean {
    const { bytes, start, end, interface: { linkType } } = this, isEthernet = linkType === LINK_TYPE.ethernet
    if (isEthernet && end - start < ethernet.HEADER) return false
    const type = isEthernet ? ethernet.type(bytes, start) : -1
    if (type === ethernet.TYPE.arp || (type !== ethernet.TYPE.ipv4 && !this.#unwrap(isEthernet))) return false
    return this.end - this.start >= ethernet.HEADER + ipv4.MINIMUM_HEADER
  }

  /** False where there is no IPv4 within. */
  #unwrap(isEthernet: boolean): boolean {
    const { view } = this, { type, at } = decodeLink(view, this.interface.linkType)
    if (type !== ethernet.TYPE.ipv4) return false
    const frame = new Uint8Array(ethernet.HEADER + view.length - at)
    ethernet.setAddresses(frame, 0, isEthernet ? ethernet.destination(view, 0) : ROUTER, isEthernet ? ethernet.source(view, 0) : ANYBODY)
    ethernet.setType(frame, 0, ethernet.TYPE.ipv4)
    frame.set(view.subarray(at), ethernet.HEADER)
    this.bytes = frame
    this.start = 0
    this.end = frame.length
    this.originalLength += ethernet.HEADER - at
    return true
  }
}
