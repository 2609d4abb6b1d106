// One datagram to the server and back after the other, and how long each took.
import { closeSync } from 'node:fs'
import { libc } from '../../napt/system/libc.js'
import { percentile } from '../statistics.js'
import { PORT, type RoundTrips } from './protocol.js'
import { AF_INET, loadSockets, setReceiveTimeout, SIZEOF_SOCKADDR_IN, SOCK_DGRAM, socketAddress } from './sockets.js'

const MESSAGE_BYTES = 32, LOST_MS = 100
/** More than come back in a second. */
const MOST_SAMPLES = 1 << 17
/** Ways and caches are warm after so many. */
const WARM_UP = 200

/** @param window milliseconds */
export function runRoundTrips(server: string, window: number): RoundTrips {
  const calls = loadSockets(), fd = libc().socket(AF_INET, SOCK_DGRAM, 0, 'open a socket')
  try {
    setReceiveTimeout(fd, LOST_MS)
    if (calls.connect(fd, socketAddress(server, PORT.echo), SIZEOF_SOCKADDR_IN) !== 0) throw new Error(`no route leads from the client to ${server}`)
    const times = new Float64Array(MOST_SAMPLES), message = new Uint8Array(MESSAGE_BYTES), sequence = new Uint32Array(message.buffer, 0, 1)
    let samples = 0, lost = 0
    for (let sent = 1, deadline = Infinity; performance.now() < deadline && samples < MOST_SAMPLES; sent++) {
      if (sent === WARM_UP) {
        samples = lost = 0
        deadline = performance.now() + window
      }
      sequence[0] = sent
      const begin = performance.now()
      calls.send(fd, message, MESSAGE_BYTES, 0)
      // One that comes too late is not taken for the next one's.
      let received: number
      do received = calls.recv(fd, message, MESSAGE_BYTES, 0)
      while (received === MESSAGE_BYTES && sequence[0] !== sent)
      if (received === MESSAGE_BYTES) times[samples++] = (performance.now() - begin) * 1000
      else lost++
    }
    const sorted = times.subarray(0, samples).sort()
    if (samples === 0) throw new Error('no datagram came back')
    return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), p999: percentile(sorted, 0.999), samples, lost }
  } finally {
    closeSync(fd)
  }
}
