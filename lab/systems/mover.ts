// Either end of a bulk transfer on a bench (compare.ts), by each of the systems: how the two meet differs, what they do then does not.
// What they get is a stream of bytes, so that nothing but the way of the data is compared.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { startAcceptor } from '../../endpoints/acceptor.js'
import type { Connection } from '../../endpoints/connection.js'
import { EndpointError } from '../../endpoints/errors.js'
import { wallClock, type Apparatus, type OnEvent } from '../../endpoints/events.js'
import { requestConnection } from '../../endpoints/issuer.js'
import { startTerminal } from '../../endpoints/login-relay/terminal.js'
import { startRelayAcceptor } from '../../endpoints/relay/relay-acceptor.js'
import { requestRelayed } from '../../endpoints/relay/relay-issuer.js'
import type { SpliceEnd } from '../../endpoints/relay/splice.js'
import { Deferred } from '../../endpoints/waiting.js'
import { fileContent } from './file-content.js'
import type { TaskContext } from '../programs/task-context.js'

/** Directly (Fig. 2), by relay (Fig. 13), by log-in relay. */
export type MovingSystem = 'direct' | 'relay' | 'relay-login'

export interface MoverTask {
  readonly role: 'mover'
  readonly apparatus: Apparatus
  readonly system: MovingSystem
  /** The sender asks for the connection, and begins at the first line on standard input. */
  readonly end: 'sender' | 'receiver'
  readonly bytes: number
  readonly server: string
  /** Where 103 reaches 102. */
  readonly reachedAt: { readonly address: string, readonly port: number }
}

/** Milliseconds between two tellings of how far it is. */
const TELLING = 200
const EQUIPMENT_ID = '2133'
/** Of the demonstration; a run is nobody's secret. */
export const MOVER_PASSWORDS = { sender: 'open sesame 11', receiver: 'open sesame 21' } as const

interface Meeting { readonly end: SpliceEnd, readonly leave: () => Promise<void> }

export async function runMover(task: MoverTask, { input, stopped, print }: TaskContext): Promise<void> {
  const begin = Promise.race([once(input, 'line'), stopped])
  const { end, leave } = await (task.end === 'sender' ? call : answer)(task, print)
  void stopped.then(() => end.reset())
  try {
    if (task.end === 'sender') {
      await begin
      await send(end, task, print)
    } else {
      await receive(end, task, print)
    }
  } finally {
    await leave() // what stays open would keep the process
  }
}

const onChannel = ({ channel }: Connection, leave: () => Promise<void> = () => Promise.resolve()): Meeting => {
  const end = channel.release()
  return {
    end,
    leave: async () => {
      end.destroy()
      await leave()
    },
  }
}

/** The sender's part until there is a connection. */
async function call({ system, server, reachedAt }: MoverTask, onEvent: OnEvent): Promise<Meeting> {
  if (system === 'direct') {
    const common = { equipmentId: EQUIPMENT_ID, password: MOVER_PASSWORDS.receiver, server: { address: server } }
    return onChannel(await requestConnection({ ...common, from: { port: 1500 }, listen: { port: 1600 }, reachedAt, onEvent }))
  }
  if (system === 'relay') return onChannel(await requestRelayed({ equipmentId: EQUIPMENT_ID, server: { address: server }, onEvent }))
  const terminal = await startTerminal({ userId: 'sender', password: MOVER_PASSWORDS.sender, server: { address: server }, onEvent })
  return { end: await terminal.demand('receiver'), leave: () => terminal.close() }
}

/** The receiver's. */
async function answer({ system, server }: MoverTask, onEvent: OnEvent): Promise<Meeting> {
  const met = new Deferred<Connection | SpliceEnd>()
  const common = { equipmentId: EQUIPMENT_ID, server: { address: server }, onConnection: (connection: Connection) => met.resolve(connection), onEvent }
  const standing = system === 'direct' ? await startAcceptor({ ...common, password: MOVER_PASSWORDS.receiver })
    : system === 'relay' ? await startRelayAcceptor(common)
    : await startTerminal({
      userId: 'receiver', password: MOVER_PASSWORDS.receiver, server: { address: server }, apparatus: '21', onDemand: () => ({ take: end => met.resolve(end) }), onEvent,
    })
  const found = await met.promise
  return 'channel' in found ? onChannel(found, () => standing.close()) : { end: found, leave: () => standing.close() }
}

async function send(end: SpliceEnd, { bytes, apparatus }: MoverTask, print: OnEvent): Promise<void> {
  const block = fileContent(Math.min(bytes, 1 << 18)), hash = createHash('sha256')
  print({ time: wallClock(), apparatus, event: 'moving', bytes: 0 })
  for (let sent = 0; sent < bytes;) {
    const part = block.subarray(0, bytes - sent)
    hash.update(part)
    if (await end.write(part, Infinity) !== 'taken') throw lost(end, `after ${sent} bytes`)
    sent += part.length
  }
  if (await end.end(Infinity) !== 'taken') throw lost(end, 'at its end')
  print({ time: wallClock(), apparatus, event: 'moved', bytes, sha256: hash.digest('hex') })
  if (await end.read() === 'lost') throw lost(end, 'before the receiver had all')
}

async function receive(end: SpliceEnd, { apparatus }: MoverTask, print: OnEvent): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0, told = 0
  for (;;) {
    const chunk = await end.read()
    if (chunk === 'ended') break
    if (typeof chunk === 'string') throw lost(end, `after ${bytes} bytes`)
    hash.update(chunk)
    bytes += chunk.length
    const now = performance.now()
    if (now - told < TELLING) continue
    told = now
    print({ time: wallClock(), apparatus, event: 'moving', bytes })
  }
  print({ time: wallClock(), apparatus, event: 'moved', bytes, sha256: hash.digest('hex') })
  await end.end(Infinity)
}

const lost = ({ trouble }: SpliceEnd, when: string): EndpointError =>
  new EndpointError('connection-lost', `the transfer was lost ${when}${trouble ? ` (${trouble})` : ''}`, '')
