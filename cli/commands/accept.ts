// `naptlab accept`: the request acceptor (103). Registers, and serves each connection that comes about.
import { REGISTRATION_INTERVAL, SERVER_PORTS, openSession, startAcceptor } from '../../endpoints/index.js'
import { readLines, receiveInto, sendAll, stopSignal, succeeds } from '../conversation.js'
import { parseDuration, parseEquipmentId, parseLevel, parseLocalPort, parsePort, readPassword } from '../options.js'
import { printFailure, printer } from '../output.js'
import type { Argv, CommandModule } from 'yargs'
import type { Connection, Session } from '../../endpoints/index.js'
import type { OptionsOf } from '../options.js'

const builder = (yargs: Argv) => yargs
  .option('id', { type: 'string', demandOption: true, coerce: parseEquipmentId, describe: 'equipment ID of this acceptor' })
  .option('server', { type: 'string', demandOption: true, describe: 'address of the rendezvous server' })
  .option('udp-port', { type: 'number', default: SERVER_PORTS.udp, coerce: parsePort, describe: "server's UDP port for registrations" })
  .option('server-port', { type: 'number', default: SERVER_PORTS.acceptor, coerce: parsePort, describe: "server's TCP port for acceptors" })
  .option('address', { type: 'string', describe: 'address of this machine to use; any when absent' })
  .option('local-port', { type: 'number', default: 0, coerce: parseLocalPort, describe: 'local UDP port of the registrations; 0 for any' })
  .option('connect-port', { type: 'number', default: 0, coerce: parseLocalPort, describe: 'local TCP port of the second connection; 0 for any' })
  .option('interval', { type: 'string', default: `${REGISTRATION_INTERVAL}ms`, coerce: parseDuration, describe: 'between two registrations' })
  .option('level', { type: 'number', default: 3, coerce: parseLevel, describe: 'as the server (1, 2 or 3)' })
  .option('password-file', { type: 'string', describe: 'file with the password; else NAPTLAB_PASSWORD is read' })
  .option('receive', { type: 'string', describe: 'folder for files that come in; without it they are refused' })
  .option('line', { type: 'string', array: true, nargs: 1, default: [], describe: 'line to send to each issuer; repeatable' })
  .option('send', { type: 'string', array: true, nargs: 1, default: [], describe: 'file to send to each issuer; repeatable' })
  .option('once', { type: 'boolean', default: false, describe: 'end after the first connection' })
  .option('json', { type: 'boolean', default: false, describe: 'one JSON object a line' })
  .example('$0 accept --id 2133 --server 130.74.23.6 --local-port 2000 --connect-port 2600 --receive in', 'as in Fig. 2')

export const accept: CommandModule<object, OptionsOf<typeof builder>> = {
  command: 'accept',
  describe: 'Run a request acceptor (103)',
  builder,
  async handler({ id, server, udpPort, serverPort, address, localPort, connectPort, interval, level, passwordFile, receive, line, send, once, json }) {
    const print = printer(json)
    const credentials = level === 3 ? { level, password: readPassword(passwordFile, process.env) } : { level }
    const options = { receive: receiveInto(receive), onEvent: print }
    const signal = stopSignal()
    const ended = new AbortController()
    const stop = AbortSignal.any([signal, ended.signal])
    const sessions: Session[] = []
    const serve = async (connection: Connection) => {
      const session = openSession(connection, options)
      sessions.push(session)
      // What is typed goes to the latest issuer. The end of the input is not the end of the acceptor.
      if (sessions.length === 1) void readLines(stop, line => succeeds(sessions[sessions.length - 1].sendLine(line), '103', print))
      const sent = await sendAll(session, { lines: line, files: send }, '103', print)
      const { outcome } = await session.ended
      if (!once) return
      if (!sent || outcome === 'lost') process.exitCode = 1
      ended.abort()
    }
    try {
      const acceptor = await startAcceptor({
        equipmentId: id, server: { address: server, udpPort, port: serverPort }, localPort, connectPort, interval, ...credentials,
        ...(address === undefined ? {} : { address }), onConnection: connection => void serve(connection), onEvent: print,
      })
      await new Promise<void>(resolve => stop.addEventListener('abort', () => resolve()))
      await acceptor.close()
      await Promise.all(sessions.map(session => session.close()))
    } catch (error) {
      printFailure(print, '103', error)
    }
  },
}
