// The short way for a packet about which nothing is to be decided (as Linux's flowtable): UDP, or TCP under way, of a session by
// which the router has let packets of this direction pass, to a next hop that is known. It knows no rules: what it does not
// recognise goes the router's whole way, which also settles sessions, and what comes out is the same to the bit.
//
// The work itself is done in WebAssembly (assembly/forward.ts), in the memory that the router's tables lie in; a device puts frames
// there, too, if it can. Of a frame elsewhere the head goes there and back.
import { readFileSync } from 'node:fs'
import * as layout from './assembly/layout.js'
import type { FrameBatch } from './device/device.js'
import type { NextHops } from './next-hops.js'
import type { RouterMemory } from './router-memory.js'
import type { SideFacts } from './side-facts.js'
import type { LastLookup } from './table/last-lookup.js'
import { otherSide, type Side } from './verdict.js'
import type { Ipv4Address } from './wire/address.js'

/** What assembly/forward.ts exports; places are those of RouterMemory. */
interface Exports {
  forward(frame: number, length: number, what: number, now: number): number
  forwardRun(bytes: number, starts: number, ends: number, partial: number, segments: number, first: number, end: number, outbound: number, now: number): number
  foresee(bytes: number, starts: number, ends: number, first: number, end: number, outbound: number): number
}

// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const { FORWARDED, NO_NEIGHBOUR, OUTBOUND, PARTIAL, REACHED, SEGMENT_SHIFT, HEAD, HEAD_BYTES } = layout
/** Frames that are foreseen at once: what they bring fits the processor's first cache until they are processed. */
export const FORESEEN = layout.FORESEEN
/** Slots of an index that its second cache has no room for. */
const WORTH_FORESEEING = 1 << 15
const ELSEWHERE = -1
const LAN_MASK = layout.LAN_DIRECTION + layout.MASK >> 2, WAN_MASK = layout.WAN_DIRECTION + layout.MASK >> 2

/** Compiled once for all routers of a process. */
let compiled: WebAssembly.Module | undefined
const compile = (): WebAssembly.Module => compiled ??= new WebAssembly.Module(readFileSync(new URL('../fast-path.wasm', import.meta.url)))

export class FastPath {
  readonly #exports: Exports
  readonly #memory: RouterMemory
  readonly #last: LastLookup
  readonly #nextHops: NextHops
  /** Up to NOTES_END: what `forward` says of the last frame, and how large the indexes are. */
  readonly #notes: Int32Array
  readonly #left: Float64Array
  readonly #head: DataView
  /** The memory that the last frame was in, and where that is in the router's; a device's frames are always in the same. */
  #bytes: Uint8Array = new Uint8Array(0)
  #place = ELSEWHERE
  #view: DataView = new DataView(new ArrayBuffer(0))
  /** The last batch, and where in the router's memory its parts are; `#frames` is ELSEWHERE unless all are there. */
  #batch: FrameBatch | null = null
  #frames = ELSEWHERE
  #starts = 0
  #ends = 0
  #partial = 0
  #segments = 0
  /** Frames that it forwarded. */
  forwarded = 0

  /** @param gateway on the WAN, 0 for none */
  constructor(memory: RouterMemory, sides: Readonly<Record<Side, SideFacts>>, gateway: Ipv4Address | 0, last: LastLookup, nextHops: NextHops) {
    this.#exports = new WebAssembly.Instance(compile(), { env: { memory: memory.memory } }).exports as unknown as Exports
    this.#memory = memory
    this.#last = last
    this.#nextHops = nextHops
    this.#notes = memory.words(0, layout.NOTES_END >> 2)
    this.#left = memory.numbers(layout.LEFT, 1)
    this.#head = new DataView(memory.memory.buffer, HEAD, HEAD_BYTES)
    for (const from of ['lan', 'wan'] as const) {
      const direction = memory.bytes(from === 'lan' ? layout.LAN_DIRECTION : layout.WAN_DIRECTION, layout.DIRECTION_BYTES), view = new DataView(direction.buffer, direction.byteOffset)
      direction.set(sides[from].mac, layout.IN_HIGH)
      direction.set(sides[otherSide(from)].mac.subarray(0, 2), layout.OUT_HIGH)
      direction.set(sides[otherSide(from)].mac.subarray(2), layout.OUT_LOW)
      view.setInt32(layout.MTU, sides[otherSide(from)].mtu, true)
      view.setInt32(layout.GATEWAY, gateway, true)
    }
  }

  /**
   * Forwards the frame `bytes[start, end)` to the other side, rewritten in place, or returns false and has changed nothing. The
   * arguments are those of `Router.process`.
   */
  forward(bytes: Uint8Array, start: number, end: number, partial: boolean, from: Side, now: number, segment: number): boolean {
    if (bytes !== this.#bytes) this.#look(bytes)
    const place = this.#place, what = (from === 'lan' ? OUTBOUND : 0) | (partial ? PARTIAL : 0) | segment << SEGMENT_SHIFT
    if (place !== ELSEWHERE) return this.#forward(place + start, end - start, what, now)
    const head = Math.min(end - start, HEAD_BYTES), view = this.#view
    copyHead(view, start, this.#head, 0, head)
    if (!this.#forward(HEAD, end - start, what, now)) return false
    copyHead(this.#head, 0, view, start, head)
    return true
  }

  /**
   * Forwards frames of a batch one behind the other, from frame `first` on, until one is not for the fast path; gives that one's number,
   * or `end`. Of a batch that is not all in the router's memory it forwards none.
   */
  forwardRun(batch: FrameBatch, first: number, end: number, from: Side, now: number): number {
    if (batch !== this.#batch) this.#lookAt(batch)
    if (this.#frames === ELSEWHERE) return first
    const next = this.#exports.forwardRun(this.#frames, this.#starts, this.#ends, this.#partial, this.#segments, first, end, from === 'lan' ? OUTBOUND : 0, now)
    if (next === first) return first
    this.#note()
    this.forwarded += next - first
    return next
  }

  /**
   * Reads what frames [first, end) of a batch will be looked up by, FORESEEN of them at most, so that it is in the processor's cache
   * then. One by one, each would wait for memory twice; here the waits overlap, which makes it twice as fast with a million flows.
   */
  foresee(batch: FrameBatch, first: number, end: number, from: Side): void {
    if (this.#notes[from === 'lan' ? LAN_MASK : WAN_MASK] < WORTH_FORESEEING) return
    if (batch !== this.#batch) this.#lookAt(batch)
    if (this.#frames !== ELSEWHERE) this.#exports.foresee(this.#frames, this.#starts, this.#ends, first, Math.min(end, first + FORESEEN), from === 'lan' ? 1 : 0)
  }

  #forward(frame: number, length: number, what: number, now: number): boolean {
    let outcome = this.#exports.forward(frame, length, what, now)
    if (outcome === NO_NEIGHBOUR && this.#nextHops.neighbours((what & OUTBOUND) === 0 ? 'lan' : 'wan').takeToHand(this.#notes[layout.HOP >> 2] as Ipv4Address, now)) {
      outcome = this.#exports.forward(frame, length, what | REACHED, now)
    }
    if (outcome !== FORWARDED) return false
    this.#note()
    this.forwarded++
    return true
  }

  #note(): void { this.#last.notePass(this.#notes[layout.SESSION_NOTE >> 2], this.#notes[layout.STATE_NOTE >> 2], this.#left[0]) }

  #look(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#place = this.#memory.holds(bytes) ? bytes.byteOffset : ELSEWHERE
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  #lookAt(batch: FrameBatch): void {
    this.#batch = batch
    const { bytes, starts, ends, partial, segments } = batch
    this.#frames = [bytes, starts, ends, partial, segments].every(array => this.#memory.holds(array)) ? bytes.byteOffset : ELSEWHERE
    this.#starts = starts.byteOffset
    this.#ends = ends.byteOffset
    this.#partial = partial.byteOffset
    this.#segments = segments.byteOffset
  }
}

/** By words as far as it goes: twice as fast as by bytes. */
function copyHead(from: DataView, at: number, to: DataView, toAt: number, length: number): void {
  let i = 0
  for (; i + 4 <= length; i += 4) to.setInt32(toAt + i, from.getInt32(at + i))
  for (; i < length; i++) to.setUint8(toAt + i, from.getUint8(at + i))
}
