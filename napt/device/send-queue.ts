// What a device has to send: frames wherever they lie, in the order in which they go out, as messages for one system call. When many wait,
// datagrams of one flow become segments of one message (udp-segments.ts), in the place of the first of them. So the order within a flow
// stays; that between flows changes by no more than what waited together.
import { VIRTIO_HEADER, type FrameMemory, type MessageArray } from '../system/frame-arena.js'
import { becomePacket, checksumHolds, continues, datagramHash, isPlain, isUdp, mostSegments, PAYLOAD, payloadLength } from './udp-segments.js'

/** What a queue writes its messages into: iovecs in a row, and which of them make a message. */
export type Messages = Pick<MessageArray, 'gather' | 'set' | 'free'>

const NONE = -1
/** A place for each flow, by hash; a flow that finds another's there takes it. Of 64 flows one in 60 meets another. */
const FLOW_BITS = 12
/** Places in the table count on from flush to flush, until they would no longer fit. */
const LAST_EPOCH = 1 << 30

export class SendQueue<M extends Messages = MessageArray> {
  /** Of the frames in it, after `build`. */
  readonly messages: M
  readonly #capacity: number
  /** Frame by frame: where its bytes are for the kernel, how many, and the next segment of its message. */
  readonly #addresses: Float64Array
  readonly #lengths: Int32Array
  readonly #next: Int32Array
  #frames = 0
  /** Message by message: its first frame, and how many it has. */
  readonly #heads: Int32Array
  readonly #counts: Int32Array
  #messages = 0
  /** Of first frames: where they begin in the memory, the last segment so far, how many more there may be, the payload of all. */
  readonly #starts: Int32Array
  readonly #last: Int32Array
  readonly #room: Int32Array
  readonly #payload: Int32Array
  readonly #messageOf: Int32Array
  readonly #isRight: Uint8Array
  /** By a flow's hash, the first frame of its last message, counted from the beginning of time: what is below `#open` takes no more. */
  readonly #flows = new Int32Array(1 << FLOW_BITS).fill(NONE)
  #epoch = 0
  #open = 0
  /** Where segments lie; what lies elsewhere goes by itself. */
  #memory: FrameMemory | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))

  /** For as many frames as `messages` have iovecs. */
  constructor(capacity: number, messages: M) {
    this.#capacity = capacity
    this.messages = messages
    this.#addresses = new Float64Array(capacity)
    const column = (): Int32Array => new Int32Array(capacity)
    this.#lengths = column()
    this.#next = column()
    this.#heads = column()
    this.#counts = column()
    this.#starts = column()
    this.#last = column()
    this.#room = column()
    this.#payload = column()
    this.#messageOf = column()
    this.#isRight = new Uint8Array(capacity)
  }

  get isFull(): boolean { return this.#frames === this.#capacity }
  get isEmpty(): boolean { return this.#frames === 0 }

  /** A message of `length` bytes at `address`, the virtio header first. */
  add(address: number, length: number): void {
    const frame = this.#frames++, message = this.#messages++
    this.#addresses[frame] = address
    this.#lengths[frame] = length
    this.#next[frame] = NONE
    this.#heads[message] = frame
    this.#counts[message] = 1
    this.#messageOf[frame] = message
  }

  /**
   * The frame `[start, end)` of the memory, its virtio header in front of it, as a message or as a segment of one that waits. Those that
   * wait are not to be changed from now on.
   */
  addSegment(memory: FrameMemory, start: number, end: number, isPartial: boolean, isSegmented: boolean): void {
    const frame = this.#frames
    if (frame === 0 && memory !== this.#memory) this.#look(memory)
    this.add(memory.address + start - VIRTIO_HEADER, end - start + VIRTIO_HEADER)
    const view = this.#view, isElsewhere = memory !== this.#memory
    if (!isElsewhere && !isUdp(view, start, end)) return
    if (isElsewhere || isSegmented || !isPlain(view, start, end)) {
      // It might belong to any flow, as a fragment does, and nothing may overtake it.
      this.#open = this.#epoch + this.#frames
      return
    }
    const place = datagramHash(view, start) >>> 32 - FLOW_BITS, known = this.#flows[place], length = payloadLength(view, start)
    if (known >= this.#open && this.#join(view, known - this.#epoch, frame, start, length, isPartial)) return
    this.#flows[place] = this.#epoch + frame
    this.#starts[frame] = start
    this.#last[frame] = frame
    this.#room[frame] = mostSegments(length) - 1
    this.#payload[frame] = length
    this.#isRight[frame] = isPartial ? 1 : 0
  }

  /** Makes the message that was added last, of the frame `frame` alone, a segment of that which `head` begins, if it can be. */
  #join(view: DataView, head: number, frame: number, start: number, length: number, isPartial: boolean): boolean {
    const first = this.#starts[head], message = this.#messageOf[head]
    if (this.#room[head] === 0 || !continues(view, first, start, this.#counts[message])) return false
    if (this.#isRight[head] === 0) {
      if (!checksumHolds(view, first)) return false
      this.#isRight[head] = 1
    }
    if (!isPartial && !checksumHolds(view, start)) return false
    this.#messages--
    this.#addresses[frame] += VIRTIO_HEADER + PAYLOAD
    this.#lengths[frame] = length
    this.#next[this.#last[head]] = frame
    this.#last[head] = frame
    this.#room[head] = length < payloadLength(view, first) ? 0 : this.#room[head] - 1
    this.#payload[head] += length
    this.#counts[message]++
    return true
  }

  /** Puts the messages together. @returns how many there are */
  build(): number {
    const { messages } = this
    for (let message = 0, vector = 0; message < this.#messages; message++) {
      const head = this.#heads[message], count = this.#counts[message]
      if (count > 1) {
        this.#lengths[head] = VIRTIO_HEADER + PAYLOAD + payloadLength(this.#view, this.#starts[head])
        becomePacket(this.#view, this.#starts[head], this.#payload[head])
      }
      messages.gather(message, vector, count)
      for (let frame = head; frame !== NONE; frame = this.#next[frame]) messages.set(vector++, this.#addresses[frame], this.#lengths[frame])
    }
    return this.#messages
  }

  /** Frames in a message. */
  framesOf(message: number): number { return this.#counts[message] }

  clear(): void {
    this.#epoch += this.#frames
    this.#frames = 0
    this.#messages = 0
    if (this.#epoch > LAST_EPOCH) {
      this.#flows.fill(NONE)
      this.#epoch = 0
    }
    this.#open = this.#epoch
  }

  free(): void { this.messages.free() }

  #look(memory: FrameMemory): void {
    this.#memory = memory
    this.#view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset, memory.bytes.byteLength)
  }
}
