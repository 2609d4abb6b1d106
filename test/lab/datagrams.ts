// Run on a host of a bench: `datagrams.js hear ADDRESS PORT COUNT` says `listening`, and then which datagrams came, by sender and in
// order, and in how many frames; `datagrams.js send ADDRESS PORT COUNT FLOWS` sends numbered ones of different lengths.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

const [, , role, address, port, count, flows = '1'] = process.argv

/** Of all interfaces but the loopback, so far. */
const framesReceived = (): number => readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2)
  .filter(line => line.includes(':') && !line.trimStart().startsWith('lo:')).reduce((sum, line) => sum + Number(line.split(':')[1].trim().split(/ +/)[1]), 0)

if (role === 'hear') {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 }), heard = new Map<number, string[]>()
  socket.bind(Number(port), address)
  await once(socket, 'listening')
  const before = framesReceived()
  process.stdout.write('listening\n')
  let left = Number(count)
  socket.on('message', (message, { port }) => {
    heard.set(port, [...heard.get(port) ?? [], message.toString('latin1')])
    if (--left > 0) return
    process.stdout.write(JSON.stringify({ heard: [...heard.values()], frames: framesReceived() - before }))
    socket.close()
  })
} else {
  const sockets = Array.from({ length: Number(flows) }, () => createSocket('udp4'))
  for (let i = 0; i < Number(count); i++) {
    const socket = sockets[i % sockets.length]
    // Nine of a length, then a shorter and a longer one.
    const text = `${i % sockets.length}:${i} `.padEnd([40, 39, 60][Math.max(0, Math.floor(i / sockets.length) % 11 - 8)], 'x')
    await new Promise<void>((resolve, reject) => { socket.send(text, Number(port), address, error => { if (error === null) resolve(); else reject(error) }) })
  }
  for (const socket of sockets) socket.close()
  process.stdout.write('null')
}
