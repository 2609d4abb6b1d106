// The default device: an AF_PACKET socket with the virtio header. GSO frames and partial checksums pass as they are, batches
// of frames cost one system call, and what comes in on one such device goes out on the other from the same memory. It needs
// no compiler, and no root inside a user namespace.
import { closeSync } from 'node:fs'
import { GSO_SIZE, GSO_TYPE, NEEDS_CHECKSUM, PacketArena, PacketSocket, VIRTIO_HEADER } from '../system/packet-socket.js'
import { SystemError } from '../system/error.js'
import type { Watch } from '../system/libc.js'
import type { MacAddress } from '../wire/address.js'
import { DeviceError, type Device, type DeviceCounters, type FrameBatch } from './device.js'

const BATCH = 64
/** A GSO frame has up to 64 KiB of IP behind the Ethernet and virtio headers; the next power of two keeps slots on pages. */
const SLOT_BYTES = 1 << 17
/** Frames of the router's own, and copies from devices of other kinds, wait in a smaller arena. */
const OWN_SLOTS = 16

class PacketBatch implements FrameBatch {
  readonly arena: PacketArena
  readonly bytes: Uint8Array
  readonly starts = new Int32Array(BATCH)
  readonly ends = new Int32Array(BATCH)
  readonly partial = new Uint8Array(BATCH)
  readonly segments = new Uint16Array(BATCH)
  count = 0

  constructor(arena: PacketArena) {
    this.arena = arena
    this.bytes = arena.bytes
    for (let i = 0; i < BATCH; i++) this.starts[i] = i * arena.slotBytes + VIRTIO_HEADER
  }
}

export class PacketDevice implements Device {
  readonly name: string
  readonly mac: MacAddress
  readonly mtu: number
  readonly #socket: PacketSocket
  readonly #batch = new PacketBatch(new PacketArena(BATCH, SLOT_BYTES))
  readonly #own = new PacketArena(OWN_SLOTS, SLOT_BYTES)
  #ownCount = 0
  /** A run of consecutive slots of one arena that waits for `flush`. */
  #runArena: PacketArena | null = null
  #runFirst = 0
  #runCount = 0
  #watch: Watch | undefined
  #received = 0
  #sent = 0
  #missed = 0
  #unsent = 0

  /** @throws DeviceError when there is no such interface, or no permission */
  constructor(name: string) {
    this.name = name
    try {
      this.#socket = new PacketSocket(name)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      throw new DeviceError(`${error.message}. ${adviceFor(error.code, name)}`, { cause: error })
    }
    this.mac = this.#socket.facts.mac as MacAddress
    this.mtu = this.#socket.facts.mtu
  }

  get counters(): DeviceCounters {
    this.#missed += this.#socket.missed()
    return { received: this.#received, sent: this.#sent, missed: this.#missed, unsent: this.#unsent }
  }

  watch(ready: () => void): void { this.#watch = this.#socket.watch(ready) }

  receive(): FrameBatch {
    const batch = this.#batch, arena = batch.arena
    for (let i = 0; i < BATCH; i++) arena.setLength(i, arena.slotBytes)
    batch.count = this.#socket.receive(arena)
    for (let i = 0; i < batch.count; i++) {
      const slot = i * arena.slotBytes
      batch.ends[i] = slot + arena.receivedLength(i)
      batch.partial[i] = batch.bytes[slot] & NEEDS_CHECKSUM
      batch.segments[i] = batch.bytes[slot + GSO_TYPE] === 0 ? 0 : batch.bytes[slot + GSO_SIZE] | (batch.bytes[slot + GSO_SIZE + 1] << 8)
    }
    this.#received += batch.count
    return batch
  }

  forward(batch: FrameBatch, i: number): void {
    if (!(batch instanceof PacketBatch)) {
      this.send(batch.bytes.subarray(batch.starts[i], batch.ends[i]))
      return
    }
    if (this.#runArena !== batch.arena || this.#runFirst + this.#runCount !== i) {
      this.flush()
      this.#runArena = batch.arena
      this.#runFirst = i
    }
    batch.arena.setLength(i, batch.ends[i] - i * batch.arena.slotBytes)
    this.#runCount++
  }

  send(frame: Uint8Array): void {
    if (this.#ownCount === OWN_SLOTS || this.#runArena !== this.#own) this.flush()
    const slot = this.#ownCount++
    const at = slot * SLOT_BYTES
    this.#own.bytes.fill(0, at, at + VIRTIO_HEADER)
    this.#own.bytes.set(frame, at + VIRTIO_HEADER)
    this.#own.setLength(slot, VIRTIO_HEADER + frame.length)
    if (this.#runArena === null) this.#runFirst = slot
    this.#runArena = this.#own
    this.#runCount++
  }

  flush(): void {
    const arena = this.#runArena
    if (arena === null) return
    for (let done = 0; done < this.#runCount;) {
      const sent = this.#socket.send(arena, this.#runFirst + done, this.#runCount - done)
      this.#sent += sent
      done += sent
      if (sent === 0) {
        // The interface refused one frame (its queue is full, or the frame too long); those behind it may still pass.
        this.#unsent++
        done++
      }
    }
    this.#runArena = null
    this.#runCount = 0
    this.#ownCount = 0
  }

  close(): void {
    this.#watch?.close()
    closeSync(this.#socket.fd)
    this.#batch.arena.free()
    this.#own.free()
  }
}

function adviceFor(code: string, name: string): string {
  if (code === 'EPERM' || code === 'EACCES') return 'Run as root, or on a bench (naptlab up, then naptlab exec).'
  if (code === 'ENODEV') return `There is no interface '${name}' in this network namespace; 'ip link' lists those that are.`
  return 'Check that the interface exists and is up.'
}
