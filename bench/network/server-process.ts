// The far end of a measurement: `node server-process.js ADDRESS`, on the server's host. Prints a line when it serves, and then never
// returns to the event loop: one thread waits in poll(2), sends datagrams back, and takes short connections. It ends with its bench.
import { closeSync, writeSync } from 'node:fs'
import { PORT } from './protocol.js'
import {
  boundSocket, deferAccept, isReady, loadSockets, MSG_DONTWAIT, MSG_MORE, MSG_NOSIGNAL, POLLIN, pollList, SIZEOF_SOCKADDR_IN, SOCK_DGRAM, SOCK_STREAM,
} from './sockets.js'

/** `ret #0` of the classic packet filter: the kernel checks a datagram's checksum, finds its socket, counts it, and queues nothing. */
const DROP_ALL = Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0)
const BACKLOG = 4096, DEFER_SECONDS = 1
/** Where in a datagram that goes back its sender stands, as the server sees it; the sequence number is in front of it. */
const SENDER_AT = 8

const [, , address] = process.argv
const calls = loadSockets()
calls.attachFilter(boundSocket(SOCK_DGRAM, address, PORT.sink), DROP_ALL)
const echo = boundSocket(SOCK_DGRAM, address, PORT.echo), listener = boundSocket(SOCK_STREAM, address, PORT.connections)
deferAccept(listener, DEFER_SECONDS)
calls.listen(listener, BACKLOG)
writeSync(1, `${JSON.stringify({ event: 'ready' })}\n`)

const list = pollList([{ fd: echo, events: POLLIN }, { fd: listener, events: POLLIN }])
const bytes = new Uint8Array(2048), sender = new Uint8Array(SIZEOF_SOCKADDR_IN), length = Uint32Array.of(SIZEOF_SOCKADDR_IN)
for (;;) {
  calls.poll(list, 2, -1)
  if (isReady(list, 0)) sendBack()
  if (isReady(list, 1)) serve()
}

function sendBack(): void {
  const count = calls.recvfrom(echo, bytes, bytes.length, MSG_DONTWAIT, sender, length)
  if (count < SENDER_AT + SIZEOF_SOCKADDR_IN) return
  bytes.set(sender, SENDER_AT)
  calls.sendto(echo, bytes, count, MSG_DONTWAIT, sender, SIZEOF_SOCKADDR_IN)
}

function serve(): void {
  const connection = calls.accept(listener, null, null)
  if (connection < 0) return
  const count = calls.recv(connection, bytes, bytes.length, MSG_DONTWAIT)
  // With MSG_MORE the answer waits for the end, and goes in one segment with it.
  if (count > 0) calls.send(connection, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE)
  closeSync(connection)
}
