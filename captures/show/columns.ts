// The columns in front of a packet's line: its number in the file, its time, and the interface that saw it.
import { displayWidth, fit, printable } from '../decode/text-width.js'
import type { CaptureInterface } from '../files/pcapng/format.js'
import type { PacketBatch } from '../files/packet-batch.js'
import { putNumber, putRaw, putThousandths } from './ascii.js'
import type { LineBuffer } from './line-buffer.js'

/** `relative`: milliseconds since the file's first packet. `delta`: since the line before. `absolute`: the date and time, UTC. */
export const TIMES = ['relative', 'delta', 'absolute'] as const
export type ShownTime = typeof TIMES[number]

/** Digits of a frame number, and characters of a time in milliseconds; more push the line to the right. */
const NUMBER_WIDTH = 6, TIME_WIDTH = 10
/** Columns of a terminal that an interface's name gets at most. */
const WIDEST = 32
/** More than number and time take, bytes. */
const SMALL = 128
const GAP = Buffer.from('  ')

export class Columns {
  readonly #time: ShownTime
  readonly #interfaces: readonly CaptureInterface[]
  #first: bigint | null = null
  #before: bigint | null = null
  /** Of the interfaces that were measured: the first ones of those that are described. */
  #width = 0
  #measured = 0
  #isNeeded = false
  /** By interface, as wide as the widest so far. */
  #cells: Uint8Array[] = []
  /** Absolute times of one second begin alike. */
  #second = -1n
  #secondText = ''

  /** `interfaces`: as the file describes them, growing as it is read. */
  constructor(time: ShownTime, interfaces: readonly CaptureInterface[]) {
    this.#time = time
    this.#interfaces = interfaces
  }

  /** Each packet of the file in its order, shown or not: the first one's time is what relative times count from. */
  see(batch: PacketBatch, i: number): void { this.#first ??= batch.time(i) }

  /** Nanoseconds since the file's first packet. */
  relative(time: bigint): bigint { return time - (this.#first ?? time) }

  write(batch: PacketBatch, i: number, out: LineBuffer): void {
    const time = batch.time(i)
    out.reserve(SMALL)
    out.length = putRaw(out.bytes, putNumber(out.bytes, out.length, batch.firstNumber + i, NUMBER_WIDTH), GAP)
    if (this.#time === 'absolute') out.text(`${this.#dateOf(time)}  `)
    else this.#writeElapsed(time, out)
    this.#before = time
    const cell = this.#cellOf(batch.interface(i))
    if (cell.length === 0) return
    out.reserve(cell.length)
    out.length = putRaw(out.bytes, out.length, cell)
  }

  #writeElapsed(time: bigint, out: LineBuffer): void {
    const from = this.#time === 'relative' ? this.#first : this.#before
    const elapsed = Math.floor(Number(time - (from ?? time)) / 1000)
    if (Number.isSafeInteger(elapsed)) out.length = putRaw(out.bytes, putThousandths(out.bytes, out.length, elapsed, TIME_WIDTH), GAP)
    else out.text(`${(time - (from ?? time)) / 1_000_000n}  `)
  }

  #dateOf(time: bigint): string {
    const second = time / NANOSECONDS
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = dateText(second)
    }
    const fraction = Math.floor(Number(time - second * NANOSECONDS) / 1000)
    return `${this.#secondText}.${String(fraction).padStart(6, '0')}Z`
  }

  #cellOf({ id }: CaptureInterface): Uint8Array {
    if (this.#measured < this.#interfaces.length) this.#measure()
    return this.#cells[id] ??= this.#cell(this.#interfaces.at(id))
  }

  /** A file of one interface without a name needs no column for it. */
  #measure(): void {
    const before = this.#width
    for (; this.#measured < this.#interfaces.length; this.#measured++) {
      const { name, id } = this.#interfaces[this.#measured]
      if (name !== '' || id > 0) this.#isNeeded = true
      this.#width = Math.max(this.#width, displayWidth(interfaceName(this.#interfaces[this.#measured])))
    }
    if (this.#width > before || !this.#isNeeded) this.#cells = []
  }

  #cell(described: CaptureInterface | undefined): Uint8Array {
    if (!this.#isNeeded || described === undefined) return NOTHING
    const name = interfaceName(described)
    return Buffer.from(name + ' '.repeat(this.#width - displayWidth(name) + GAP.length))
  }
}

/** Its name, or its number in the file. */
export const interfaceName = ({ id, name }: CaptureInterface): string => name === '' ? `#${id}` : fit(printable(name), WIDEST)

/** As in `2023-11-14T22:13:20`; seconds since 1970. */
function dateText(second: bigint): string {
  const date = new Date(Number(second) * 1000)
  return Number.isNaN(date.getTime()) ? `second ${second}` : date.toISOString().slice(0, -5)
}

/** A time in full: date, nanoseconds, UTC. */
export function timeText(time: bigint): string {
  const second = time / NANOSECONDS
  return `${dateText(second)}.${String(time - second * NANOSECONDS).padStart(9, '0')}Z`
}

const NANOSECONDS = 1_000_000_000n
const NOTHING = new Uint8Array(0)
