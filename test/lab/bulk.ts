// Run on a host of a bench: sends BYTES to `talk.js answer`'s bulk port (PORT + 1) and hashes what comes back.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'

const [, , address, port, bytes] = process.argv
const count = Number(bytes)
const data = Buffer.alloc(count)
for (let i = 0; i < count; i++) data[i] = (i * 31 + (i >> 8)) & 255
const sha256 = (what: Buffer): string => createHash('sha256').update(what).digest('hex')

const socket = connect(Number(port) + 1, address)
const chunks: Buffer[] = []
socket.on('data', (chunk: Buffer) => chunks.push(chunk))
socket.end(data)
await once(socket, 'end')
const returned = Buffer.concat(chunks)
process.stdout.write(JSON.stringify({ sent: sha256(data), returned: sha256(returned), bytes: returned.length }))
