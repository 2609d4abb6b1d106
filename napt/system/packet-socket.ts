// AF_PACKET sockets (packet(7)) and their batched calls, through koffi.
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import type { FrameArena, MessageArray } from './frame-arena.js'
import type { FrameSocket } from './frame-socket.js'
import { readInterface, type InterfaceFacts } from './interface.js'
import { libc, type Watch } from './libc.js'
import { SystemError } from './error.js'

const AF_PACKET = 17, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, ETH_P_ALL = 3
const SOL_PACKET = 263, SOL_SOCKET = 1
const PACKET_STATISTICS = 6
const PACKET_VNET_HDR = 15
const PACKET_QDISC_BYPASS = 20
/** Else the socket hears its own transmissions. */
const PACKET_IGNORE_OUTGOING = 23
const SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_SNDBUF = 7, SO_RCVBUF = 8
const MSG_DONTWAIT = 0x40
const SIZEOF_SOCKADDR_LL = 20
/** As root this much is had; in a user namespace only what net.core.rmem_max and wmem_max allow. */
const BUFFER_BYTES = 64 << 20

interface Foreign {
  recvmmsg(fd: number, headers: bigint, count: number, flags: number, timeout: null): number
  sendmmsg(fd: number, headers: bigint, count: number, flags: number): number
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint32Array): number
}

let loaded: Foreign | undefined

function foreign(): Foreign {
  if (loaded === undefined) {
    const library = (createRequire(import.meta.url)('koffi') as typeof Koffi).load('libc.so.6')
    loaded = {
      recvmmsg: library.func('int recvmmsg(int, void *, uint, int, void *)'),
      sendmmsg: library.func('int sendmmsg(int, void *, uint, int)'),
      getsockopt: library.func('int getsockopt(int, int, int, void *, void *)'),
    }
  }
  return loaded
}

export class PacketSocket implements FrameSocket {
  readonly #fd: number
  readonly #c = foreign()
  readonly facts: InterfaceFacts

  /** Opens a socket on an interface of the calling thread's network namespace. @throws SystemError */
  constructor(interfaceName: string) {
    const doing = `open interface '${interfaceName}' for raw frames`
    this.facts = readInterface(interfaceName)
    // Protocol 0 until bound, or frames of every interface would come in between.
    this.#fd = libc().socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0, doing)
    for (const option of [PACKET_VNET_HDR, PACKET_QDISC_BYPASS, PACKET_IGNORE_OUTGOING]) {
      libc().setsockopt(this.#fd, SOL_PACKET, option, Uint32Array.of(1), doing)
    }
    this.#growBuffers()
    const address = new Uint8Array(SIZEOF_SOCKADDR_LL), view = new DataView(address.buffer)
    view.setUint16(0, AF_PACKET, true)
    view.setUint16(2, ETH_P_ALL)
    view.setInt32(4, this.facts.index, true)
    libc().bind(this.#fd, address, doing)
  }

  receive(arena: FrameArena): number {
    const count = this.#c.recvmmsg(this.#fd, arena.messages.at[0], arena.slots, MSG_DONTWAIT, null)
    return count > 0 ? count : 0
  }

  send(queue: MessageArray, first: number, count: number): number {
    const sent = this.#c.sendmmsg(this.#fd, queue.at[first], count, MSG_DONTWAIT)
    return sent > 0 ? sent : 0
  }

  /** Frames that the socket's buffer had no room for since the last call. */
  missed(): number {
    const statistics = new Uint32Array(2)
    const result = this.#c.getsockopt(this.#fd, SOL_PACKET, PACKET_STATISTICS, new Uint8Array(statistics.buffer), Uint32Array.of(8))
    return result === 0 ? statistics[1] : 0
  }

  watch(callback: () => void): Watch { return libc().watchReadable(this.#fd, callback) }
  close(): void { closeSync(this.#fd) }

  /** As root with the FORCE options; otherwise the most that the system-wide limit gives. */
  #growBuffers(): void {
    for (const [forced, limited] of [[SO_RCVBUFFORCE, SO_RCVBUF], [SO_SNDBUFFORCE, SO_SNDBUF]]) {
      try {
        libc().setsockopt(this.#fd, SOL_SOCKET, forced, Uint32Array.of(BUFFER_BYTES), 'enlarge the buffer')
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
        libc().setsockopt(this.#fd, SOL_SOCKET, limited, Uint32Array.of(BUFFER_BYTES), 'enlarge the buffer')
      }
    }
  }
}
