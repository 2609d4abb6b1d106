// `naptlab issue`: the request issuer (102). Asks for one connection and talks on it.
import { SERVER_PORTS, TIMEOUTS, openSession, requestConnection } from '../../endpoints/index.js'
import { readLines, receiveInto, sendAll, stopSignal, succeeds } from '../conversation.js'
import { parseDuration, parseEquipmentId, parseLevel, parseLocalPort, parsePeer, parsePort, readPassword } from '../options.js'
import { printFailure, printer } from '../output.js'
import type { Argv, CommandModule } from 'yargs'
import type { OptionsOf } from '../options.js'

const builder = (yargs: Argv) => yargs
  .option('to', { type: 'string', demandOption: true, coerce: parseEquipmentId, describe: 'equipment ID of the acceptor' })
  .option('server', { type: 'string', demandOption: true, describe: 'address of the rendezvous server' })
  .option('server-port', { type: 'number', default: SERVER_PORTS.issuer, coerce: parsePort, describe: "server's TCP port for issuers" })
  .option('address', { type: 'string', describe: 'address of this machine to use; any when absent' })
  .option('local-port', { type: 'number', default: 0, coerce: parseLocalPort, describe: 'local TCP port of the first connection; 0 for any' })
  .option('listen', { type: 'number', default: 0, coerce: parseLocalPort, describe: 'local TCP port that awaits the acceptor; 0 for any' })
  .option('reached-at', { type: 'string', coerce: parsePeer, describe: 'ADDRESS:PORT that your router maps to that port; its own when absent' })
  .option('level', { type: 'number', default: 3, coerce: parseLevel, describe: 'as the server (1, 2 or 3); below 3 no password is sent' })
  .option('password-file', { type: 'string', describe: "file with the acceptor's password; else NAPTLAB_PASSWORD is read" })
  .option('line', { type: 'string', array: true, nargs: 1, default: [], describe: 'line to send; repeatable' })
  .option('send', { type: 'string', array: true, nargs: 1, default: [], describe: 'file to send; repeatable' })
  .option('receive', { type: 'string', describe: 'folder for files that come in; without it they are refused' })
  .option('timeout', { type: 'string', default: `${TIMEOUTS.request}ms`, coerce: parseDuration, describe: 'for the connection to come about' })
  .option('json', { type: 'boolean', default: false, describe: 'one JSON object a line' })
  .example('$0 issue --to 2133 --server 130.74.23.6 --local-port 1500 --listen 1600 --reached-at 4.17.168.2:5000 --send FILE', 'as in Fig. 2')
  .example('$0 issue --to 2133 --server 130.74.23.6', 'lines from standard input, without a router in between')

export const issue: CommandModule<object, OptionsOf<typeof builder>> = {
  command: 'issue',
  describe: 'Request a connection with an acceptor (102)',
  builder,
  async handler({ to, server, serverPort, address, localPort, listen, reachedAt, level, passwordFile, line, send, receive, timeout, json }) {
    const print = printer(json)
    const secret = level === 3 ? { password: readPassword(passwordFile, process.env) } : {}
    const options = { receive: receiveInto(receive), onEvent: print }
    const signal = stopSignal()
    const local = address === undefined ? {} : { address }
    try {
      const connection = await requestConnection({
        equipmentId: to, ...secret, server: { address: server, port: serverPort }, from: { ...local, port: localPort },
        listen: { ...local, port: listen }, ...(reachedAt ? { reachedAt } : {}), timeouts: { request: timeout }, signal, onEvent: print,
      })
      const session = openSession(connection, options)
      const over = new AbortController()
      void session.ended.then(() => over.abort())
      if (line.length + send.length > 0) await sendAll(session, { lines: line, files: send }, '102', print)
      else await readLines(AbortSignal.any([signal, over.signal]), text => succeeds(session.sendLine(text), '102', print))
      const { outcome } = await session.close()
      if (outcome === 'lost') process.exitCode = 1
    } catch (error) {
      printFailure(print, '102', error)
    }
  },
}
