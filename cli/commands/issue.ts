// `naptlab issue`: the request issuer (102). Asks for one connection and talks on it.
import { DATA, SERVER_PORTS, TIMEOUTS, openSession, requestConnection } from '../../endpoints/index.js'
import { readLines, receiveInto, sendAll, succeeds } from '../conversation.js'
import { checkData, clientChannel, clientEncryption, keysOf } from '../encryption-options.js'
import { parseDuration, parseEquipmentId, parseLevel, parseLocalPort, parsePeer, parsePort, readPassword } from '../options.js'
import { printFailure, printer } from '../output.js'
import { stopSignal } from '../stop-signal.js'
import type { CommandModule, InferredOptionTypes, Options } from 'yargs'
import type { Data } from '../../endpoints/index.js'

const options = {
  to: { type: 'string', demandOption: true, coerce: parseEquipmentId, describe: 'equipment ID of the acceptor' },
  server: { type: 'string', demandOption: true, describe: 'address of the rendezvous server' },
  'server-port': { type: 'number', default: SERVER_PORTS.issuer, coerce: parsePort, describe: "server's TCP port for issuers" },
  address: { type: 'string', describe: 'address of this machine to use; any when absent' },
  'local-port': { type: 'number', default: 0, coerce: parseLocalPort, describe: 'local TCP port of the first connection; 0 for any' },
  listen: { type: 'number', default: 0, coerce: parseLocalPort, describe: 'local port that awaits the acceptor; 0 for any' },
  'reached-at': { type: 'string', coerce: parsePeer, describe: 'ADDRESS:PORT that your router maps to that port; its own when absent' },
  level: { type: 'number', default: 3, coerce: parseLevel, describe: 'as the server (1, 2 or 3); below 3 no password is sent' },
  'password-file': { type: 'string', describe: "file with the acceptor's password; else NAPTLAB_PASSWORD is read" },
  line: { type: 'string', array: true, nargs: 1, default: [], describe: 'line to send; repeatable' },
  send: { type: 'string', array: true, nargs: 1, default: [], describe: 'file to send; repeatable' },
  receive: { type: 'string', describe: 'folder for files that come in; without it they are refused' },
  timeout: { type: 'string', default: `${TIMEOUTS.request / 1000}s`, coerce: parseDuration, describe: 'for the connection to come about' },
  ...clientEncryption,
  data: { choices: DATA, default: 'tcp' as Data, describe: 'the direct connection (S209): in the clear or under TLS with a key of its own; for udp your router has to map a UDP port' },
  json: { type: 'boolean', default: false, describe: 'one JSON object a line' },
} as const satisfies Record<string, Options>

export const issue: CommandModule<object, InferredOptionTypes<typeof options>> = {
  command: 'issue',
  describe: 'Request a connection with an acceptor (102)',
  builder: yargs => yargs.options(options)
    .example('$0 issue --to 2133 --server 130.74.23.6 --local-port 1500 --listen 1600 --reached-at 4.17.168.2:5000 --ca ca.pem --send FILE', 'as in Fig. 2')
    .example('$0 issue --to 2133 --server 130.74.23.6 --ca ca.pem --data tls', 'lines from standard input, without a router in between'),
  async handler({ to, server, serverPort, address, localPort, listen, reachedAt, level, passwordFile, line, send, receive, timeout, data, json, ...encryption }) {
    const print = printer(json)
    const secret = level === 3 ? { password: readPassword(passwordFile, process.env) } : {}
    const reception = { receive: receiveInto(receive), onEvent: print }
    checkData(data, encryption, level)
    const openChannel = clientChannel(encryption, server), onDataKeys = keysOf(encryption)
    const signal = stopSignal()
    const local = address === undefined ? {} : { address }
    try {
      const connection = await requestConnection({
        equipmentId: to, ...secret, server: { address: server, port: serverPort }, from: { ...local, port: localPort },
        listen: { ...local, port: listen }, ...(reachedAt ? { reachedAt } : {}), timeouts: { request: timeout }, signal,
        openChannel, data, ...(onDataKeys ? { onDataKeys } : {}), onEvent: print,
      })
      const session = openSession(connection, reception)
      if (line.length + send.length > 0) {
        signal.addEventListener('abort', () => connection.channel.reset())
        await sendAll(session, { lines: line, files: send }, '102', print)
      } else {
        const over = new AbortController()
        void session.ended.then(() => over.abort())
        await readLines(AbortSignal.any([signal, over.signal]), text => succeeds(session.sendLine(text), '102', print))
      }
      const { outcome } = await session.close()
      if (outcome === 'lost') process.exitCode = 1
    } catch (error) {
      printFailure(print, '102', error)
    }
  },
}
