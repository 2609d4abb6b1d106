// Short TCP connections: connect, a few bytes there and back, close; several at a time.
import { closeSync } from 'node:fs'
import { libc } from '../../napt/system/libc.js'
import { PORT, type Connections } from './protocol.js'
import { AF_INET, isReady, loadSockets, MSG_DONTWAIT, MSG_NOSIGNAL, POLLIN, pollList, POLLOUT, SIZEOF_SOCKADDR_IN, SOCK_NONBLOCK, SOCK_STREAM, socketAddress, type Sockets } from './sockets.js'

const AT_A_TIME = 16, BYTES = 100, GIVE_UP_MS = 1000

/** A place for one connection after another. */
interface Slot { fd: number, awaiting: 'connection' | 'answer' }

/** @param window milliseconds */
export function runConnections(server: string, window: number): Connections {
  const calls = loadSockets(), to = socketAddress(server, PORT.connections), bytes = new Uint8Array(BYTES)
  const slots = Array.from({ length: AT_A_TIME }, (): Slot => begin(calls, to))
  let completed = 0, failed = 0
  const start = performance.now()
  try {
    // Whichever slot is waited for, the others go on in the kernel; so no slot is asked before its turn.
    for (let turn = 0; performance.now() - start < window; turn = (turn + 1) % AT_A_TIME) {
      const outcome = step(calls, slots[turn], bytes)
      if (outcome === 'on its way') continue
      if (outcome === 'completed') completed++
      else failed++
      closeSync(slots[turn].fd)
      slots[turn] = begin(calls, to)
    }
    return { completed, failed, elapsed: performance.now() - start }
  } finally {
    for (const { fd } of slots) closeSync(fd)
  }
}

function begin(calls: Sockets, to: Uint8Array): Slot {
  const fd = libc().socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, 'open a connection')
  calls.connect(fd, to, SIZEOF_SOCKADDR_IN) // says that it is under way; how it went is seen when something is sent
  return { fd, awaiting: 'connection' }
}

function step(calls: Sockets, slot: Slot, bytes: Uint8Array): 'on its way' | 'completed' | 'failed' {
  const { fd, awaiting } = slot, list = pollList([{ fd, events: awaiting === 'connection' ? POLLOUT : POLLIN }])
  calls.poll(list, 1, GIVE_UP_MS)
  if (!isReady(list, 0)) return 'failed'
  if (awaiting === 'answer') return calls.recv(fd, bytes, BYTES, MSG_DONTWAIT) === BYTES ? 'completed' : 'failed'
  slot.awaiting = 'answer'
  return calls.send(fd, bytes, BYTES, MSG_NOSIGNAL) === BYTES ? 'on its way' : 'failed'
}
