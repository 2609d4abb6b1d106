// `naptlab server`: the rendezvous server (101) until SIGINT or SIGTERM.
import { ENTRY_LIFETIME, EquipmentFile, SERVER_PORTS, TIMEOUTS, startServer } from '../../endpoints/index.js'
import { stopSignal, untilAborted } from '../stop-signal.js'
import { serverChannel, serverEncryption } from '../encryption-options.js'
import { keyFor, parseDuration, parseLevel, parseLocalPort } from '../options.js'
import { printFailure, printTrouble, printer } from '../output.js'
import type { CommandModule, InferredOptionTypes, Options } from 'yargs'

const options = {
  address: { type: 'string', describe: 'address of this machine to serve at; all when absent' },
  'udp-port': { type: 'number', default: SERVER_PORTS.udp, coerce: parseLocalPort, describe: 'UDP port for registrations' },
  'issuer-port': { type: 'number', default: SERVER_PORTS.issuer, coerce: parseLocalPort, describe: 'TCP port for issuers' },
  'acceptor-port': { type: 'number', default: SERVER_PORTS.acceptor, coerce: parseLocalPort, describe: 'TCP port for acceptors' },
  level: { type: 'number', default: 3, coerce: parseLevel, describe: '1: request by UDP; 2: second connection; 3: and a password' },
  equipment: { type: 'string', describe: 'file with the keys of the equipment that may register, from `naptlab equipment add`' },
  'open-registration': { type: 'boolean', default: false, describe: 'let anybody register any equipment ID, as in the figures' },
  lifetime: { type: 'string', default: `${ENTRY_LIFETIME / 1000}s`, coerce: parseDuration, describe: 'of an entry of the equipment list' },
  silence: { type: 'string', default: `${TIMEOUTS.notify / 1000}s`, coerce: parseDuration, describe: 'how long an acceptor may take to answer' },
  ...serverEncryption,
  json: { type: 'boolean', default: false, describe: 'one JSON object a line' },
} as const satisfies Record<string, Options>

export const server: CommandModule<object, InferredOptionTypes<typeof options>> = {
  command: 'server',
  describe: 'Run the rendezvous server (101)',
  builder: yargs => yargs.options(options)
    .example('$0 server --equipment equipment --address 130.74.23.6 --certificate 101.pem --key 101.key', 'serve with the ports of Fig. 2')
    .example('$0 server --open-registration --level 2 --encryption none --json', 'without keys, password and encryption, events as JSON'),
  async handler({ address, udpPort, issuerPort, acceptorPort, level, equipment, openRegistration, lifetime, silence, json, ...encryption }) {
    const print = printer(json)
    const keys = keyFor('--equipment FILE', equipment, openRegistration)
    const openChannel = serverChannel(encryption)
    const stop = stopSignal()
    try {
      const known = keys === null ? {} : { equipment: new EquipmentFile(keys, error => printTrouble(print, '101', error)) }
      const running = await startServer({
        udpPort, issuerPort, acceptorPort, level, lifetime, timeouts: { notify: silence }, openChannel, onEvent: print,
        ...known, ...(address === undefined ? {} : { address }),
      })
      await untilAborted(stop)
      await running.close()
    } catch (error) {
      printFailure(print, '101', error)
    }
  },
}
