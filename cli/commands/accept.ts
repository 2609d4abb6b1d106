// `naptlab accept`: the request acceptor (103). Registers, and serves each connection that comes about.
import { REGISTRATION_INTERVAL, SERVER_PORTS, openSession, parseKey, readKeyFile, startAcceptor } from '../../endpoints/index.js'
import { readLines, receiveInto, sendAll, succeeds } from '../conversation.js'
import { checkData, clientChannel, clientEncryption } from '../encryption-options.js'
import { keyFor, parseDuration, parseEquipmentId, parseLevel, parseLocalPort, parsePort, parsePrefixes, readPassword } from '../options.js'
import { printFailure, printer } from '../output.js'
import { stopSignal, untilAborted } from '../stop-signal.js'
import type { CommandModule, InferredOptionTypes, Options } from 'yargs'
import type { Connection, Session } from '../../endpoints/index.js'

const options = {
  id: { type: 'string', demandOption: true, coerce: parseEquipmentId, describe: 'equipment ID of this acceptor' },
  server: { type: 'string', demandOption: true, describe: 'address of the rendezvous server' },
  'udp-port': { type: 'number', default: SERVER_PORTS.udp, coerce: parsePort, describe: "server's UDP port for registrations" },
  'server-port': { type: 'number', default: SERVER_PORTS.acceptor, coerce: parsePort, describe: "server's TCP port for acceptors" },
  address: { type: 'string', describe: 'address of this machine to use; any when absent' },
  'local-port': { type: 'number', default: 0, coerce: parseLocalPort, describe: 'local UDP port of the registrations; 0 for any' },
  'connect-port': { type: 'number', default: 0, coerce: parseLocalPort, describe: 'local TCP port of the second connection; 0 for any' },
  interval: { type: 'string', default: `${REGISTRATION_INTERVAL / 1000}s`, coerce: parseDuration, describe: 'between two registrations' },
  level: { type: 'number', default: 3, coerce: parseLevel, describe: 'as the server (1, 2 or 3)' },
  'password-file': { type: 'string', describe: 'file with the password; else NAPTLAB_PASSWORD is read' },
  'equipment-key': { type: 'string', describe: 'file with the key of this equipment, from `naptlab equipment add`' },
  'open-registration': { type: 'boolean', default: false, describe: 'do without a key, at a server that does' },
  'allow-to': { type: 'string', array: true, nargs: 1, default: [], coerce: parsePrefixes, describe: 'IPv4 prefix or address to connect to although it is private or near; repeatable' },
  'deny-to': { type: 'string', array: true, nargs: 1, default: [], coerce: parsePrefixes, describe: 'IPv4 prefix or address never to connect to, such as your own WAN address; repeatable' },
  receive: { type: 'string', describe: 'folder for files that come in; without it they are refused' },
  line: { type: 'string', array: true, nargs: 1, default: [], describe: 'line to send to each issuer; repeatable' },
  send: { type: 'string', array: true, nargs: 1, default: [], describe: 'file to send to each issuer; repeatable' },
  once: { type: 'boolean', default: false, describe: 'end after the first connection' },
  ...clientEncryption,
  data: { choices: ['tcp', 'tls'] as const, describe: 'tls: take no direct connection in the clear; tcp: as the issuer asks [tcp]' },
  json: { type: 'boolean', default: false, describe: 'one JSON object a line' },
} as const satisfies Record<string, Options>

export const accept: CommandModule<object, InferredOptionTypes<typeof options>> = {
  command: 'accept',
  describe: 'Run a request acceptor (103)',
  builder: yargs => yargs.options(options)
    .example('$0 accept --id 2133 --server 130.74.23.6 --local-port 2000 --connect-port 2600 --ca ca.pem --equipment-key 2133.key --receive in', 'as in Fig. 2')
    .example('$0 accept --id 2133 --server 192.168.7.1 --ca ca.pem --equipment-key 2133.key --allow-to 192.168.7.0/24', 'in a home lab, whose addresses are private'),
  async handler({ id, server, udpPort, serverPort, address, localPort, connectPort, interval, level, passwordFile, equipmentKey, openRegistration, allowTo, denyTo, receive, line, send, once, data, json, ...encryption }) {
    const print = printer(json)
    const credentials = level === 3 ? { level, password: readPassword(passwordFile, process.env) } : { level }
    const registered = keyFor('--equipment-key FILE', equipmentKey, openRegistration)
    const reception = { receive: receiveInto(receive), onEvent: print }
    checkData(data, encryption, level)
    const openChannel = clientChannel(encryption, server)
    const signal = stopSignal()
    const ended = new AbortController()
    const stop = AbortSignal.any([signal, ended.signal])
    const sessions = new Set<Session>()
    let latest: Session | null = null
    // What is typed goes to the latest issuer. The end of the input is not the end of the acceptor.
    const typed = (text: string) => latest ? succeeds(latest.sendLine(text), '103', print) : Promise.resolve()
    const serve = async (connection: Connection) => {
      const session = openSession(connection, reception)
      if (!latest) void readLines(stop, typed)
      sessions.add(session)
      latest = session
      const sent = await sendAll(session, { lines: line, files: send }, '103', print)
      const { outcome } = await session.ended
      sessions.delete(session)
      if (!once) return
      if (!sent || outcome === 'lost') process.exitCode = 1
      ended.abort()
    }
    try {
      const key = registered === null ? {} : { key: parseKey(readKeyFile(registered)) }
      const acceptor = await startAcceptor({
        equipmentId: id, server: { address: server, udpPort, port: serverPort }, localPort, connectPort, interval, ...credentials, ...key,
        policy: { allow: allowTo, deny: denyTo },
        ...(address === undefined ? {} : { address }), openChannel, ...(data === 'tls' ? { data } : {}), onConnection: connection => void serve(connection), onEvent: print,
      })
      await untilAborted(stop)
      await acceptor.close()
      await Promise.all([...sessions].map(session => session.close()))
    } catch (error) {
      printFailure(print, '103', error)
    }
  },
}
