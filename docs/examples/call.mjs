// Two programs behind NATs find each other through a server and talk directly (UDP hole punching): the program under test of
// docs/golden.md. Every packet answers another one, so that a good run is always the same.
//
//   node call.mjs server PORT
//   node call.mjs wait  NAME SERVER:PORT        waits to be called
//   node call.mjs call  NAME SERVER:PORT PEER   calls
//
//   wait → server   JOIN bob
//   call → server   CALL alice bob
//   server → call   PEER ADDRESS:PORT           as the server saw bob
//   call → wait     PUNCH                       opens the caller's NAT; the other one may drop it
//   call → server   PUNCHED bob
//   server → wait   PEER ADDRESS:PORT           as the server saw alice
//   wait → call     HELLO bob
//   call → wait     HELLO alice
import { createSocket } from 'node:dgram'
import process from 'node:process'
import { setTimeout } from 'node:timers'

const PATIENCE = 3000 // milliseconds

const [role, ...rest] = process.argv.slice(2)
const roles = { server: () => server(Number(rest[0])), wait: () => wait(rest[0], rest[1]), call: () => call(rest[0], rest[1], rest[2]) }
if (!Object.hasOwn(roles, role ?? '')) throw new Error('node call.mjs server PORT | wait NAME SERVER:PORT | call NAME SERVER:PORT PEER')
roles[role]()

/** A socket that hands each message on as words. */
function open(port, onWords, onReady = () => {}) {
  const socket = createSocket('udp4').bind(port, onReady)
  const send = (text, to) => {
    const [address, port] = to.split(':')
    socket.send(text, Number(port), address)
  }
  socket.on('message', (bytes, { address, port }) => onWords(bytes.toString().split(' '), `${address}:${port}`, send))
  return { send, close: () => socket.close() }
}

/** Brings a caller and the one who is called together, whichever comes first. */
function server(port) {
  const joined = new Map(), callers = new Map()
  open(port, ([word, name, peer], from, send) => {
    const called = word === 'CALL' ? peer : name
    if (word === 'JOIN') joined.set(name, from)
    if (word === 'CALL') callers.set(peer, from)
    const at = joined.get(called), caller = callers.get(called)
    if (at === undefined || caller === undefined) return
    if (word === 'PUNCHED') send(`PEER ${caller}`, at)
    else send(`PEER ${at}`, caller)
  }, () => process.stdout.write('ready\n'))
}

function wait(name, server) {
  const socket = open(4000, ([word, what], from, send) => {
    if (word === 'PEER' && from === server) send(`HELLO ${name}`, what)
    if (word === 'HELLO') finish(socket, `${what} at ${from}`)
  })
  socket.send(`JOIN ${name}`, server)
}

function call(name, server, peer) {
  const socket = open(5000, ([word, what], from, send) => {
    if (word === 'PEER' && from === server) {
      send('PUNCH', what)
      send(`PUNCHED ${peer}`, server)
    }
    if (word === 'HELLO') {
      send(`HELLO ${name}`, from)
      finish(socket, `${what} at ${from}`)
    }
  })
  socket.send(`CALL ${name} ${peer}`, server)
  setTimeout(() => {
    process.stderr.write(`${peer} does not answer\n`)
    process.exit(1)
  }, PATIENCE).unref()
}

function finish(socket, who) {
  process.stdout.write(`talked with ${who}\n`)
  setTimeout(() => socket.close(), 100) // what was sent last is on its way
}
