// naptlab renumber: a router gets another WAN address while it runs, as PPP or DHCP may give it.
import type { CommandModule } from 'yargs'
import { formatIpv4, parseIpv4 } from '../../napt/wire/address.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'
import { counted } from '../tables.js'

interface RenumberArguments extends RouterTarget { readonly address: string, readonly json: boolean }

export const renumberCommand: CommandModule<object, RenumberArguments> = {
  command: 'renumber <router> <address>',
  describe: 'Give a router another WAN address; mappings on the old one go',
  builder: yargs => routerTarget(yargs)
    .positional('address', { type: 'string', demandOption: true, describe: 'The new WAN address' })
    .option('json', { type: 'boolean', default: false, describe: 'Say in JSON how many mappings went' })
    .example('$0 renumber 104b 202.204.16.99', 'the next 201 brings the server\'s list up to date (S202A)'),
  handler: async ({ address: text, json, ...target }) => {
    const address = formatIpv4(parseIpv4(text))
    const removed = await withRouter(target, router => router.request({ op: 'renumber', address }))
    console.log(json ? JSON.stringify(removed) : `${target.router}: the WAN address is ${address} now; ${counted(removed.mappings, 'mapping')} went with the old one`)
  },
}
