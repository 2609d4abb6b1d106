// `naptlab dissector`: a Wireshark dissector for the endpoints' protocol.
import { dirname } from 'node:path'
import type { CommandModule } from 'yargs'
import { dissectorFor } from '../../captures/index.js'
import { AUTHORITY_PORT, LOGIN_RELAY_PORT, SERVER_PORTS } from '../../endpoints/index.js'
import { writableFolder } from '../../lab/systems/output-folder.js'
import { writeWhole } from '../../lab/write-whole.js'
import { version } from '../version.js'

/** Where the figures have 102 await 208, on its router and on itself. */
const DIRECT_PORTS = [5000, 1600]

interface DissectorArguments { readonly out: string | undefined }

export const dissectorCommand: CommandModule<object, DissectorArguments> = {
  command: 'dissector',
  describe: 'Print a Wireshark dissector in Lua for 201, 217 and the other messages',
  builder: yargs => yargs
    .option('out', { alias: 'o', type: 'string', requiresArg: true, describe: 'Write it to this file; its folder is made if need be' })
    .example('$0 dissector -o ~/.local/lib/wireshark/plugins/naptlab.lua', 'install it for Wireshark and tshark')
    .example('$0 dissector > naptlab.lua && tshark -X lua_script:naptlab.lua -r out/101.pcap', 'use it once'),
  handler({ out }) {
    const tcp = [SERVER_PORTS.issuer, SERVER_PORTS.acceptor, AUTHORITY_PORT, LOGIN_RELAY_PORT]
    const text = dissectorFor({ udp: [SERVER_PORTS.udp], tcp, direct: DIRECT_PORTS }, version())
    if (out === undefined) process.stdout.write(text)
    else {
      writableFolder(dirname(out))
      writeWhole(out, text)
      console.log(`written: ${out}`)
    }
  },
}
