// Run on a host of a bench: `talk.js answer ADDRESS PORT` echoes UDP and TCP, at PORT + 1 whole TCP streams, and says when it
// listens; `talk.js refused ADDRESS PORT` prints the error that a datagram to a closed port comes back as;
// `talk.js ask ADDRESS PORT WORD` prints what came back over each, with the sender's address as the other end saw it.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

const [, , role, address, port, word = ''] = process.argv

if (role === 'answer') {
  const udp = createSocket('udp4')
  udp.on('message', (message, from) => udp.send(`${message.toString()} ${from.address}`, from.port, from.address))
  udp.bind(Number(port), address)
  const tcp = createServer(socket => socket.on('data', data => socket.end(`${data.toString()} ${socket.remoteAddress ?? ''}`)))
  tcp.listen(Number(port), address)
  const bulk = createServer(socket => socket.pipe(socket))
  bulk.listen(Number(port) + 1, address)
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening'), once(bulk, 'listening')])
  process.stdout.write('listening\n')
} else if (role === 'refused') {
  const udp = createSocket('udp4')
  udp.connect(Number(port), address)
  await once(udp, 'connect')
  udp.send('anybody there?')
  const [error] = await once(udp, 'error').catch((error: unknown) => [error]) as [NodeJS.ErrnoException]
  process.stdout.write(error.code ?? '')
  udp.close()
} else {
  const udp = createSocket('udp4')
  udp.send(word, Number(port), address)
  const [answer] = await once(udp, 'message') as [Buffer]
  udp.close()
  const tcp = connect(Number(port), address).setEncoding('utf8')
  tcp.write(word)
  const [reply] = await once(tcp, 'data') as [string]
  process.stdout.write(JSON.stringify({ udp: answer.toString(), tcp: reply }))
}
