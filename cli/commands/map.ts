// naptlab map, naptlab unmap: static mappings of a router that runs.
import type { CommandModule } from 'yargs'
import { formatEndpoint, formatIpv4, parseEndpoint, parsePort } from '../../napt/wire/address.js'
import { UsageError } from '../errors.js'
import { routerTarget, withRouter, type RouterTarget } from '../router-target.js'

interface UnmapArguments extends RouterTarget { readonly port: string }
interface MapArguments extends UnmapArguments { readonly to: string }

export const mapCommand: CommandModule<object, MapArguments> = {
  command: 'map <router> <port> <to>',
  describe: 'Set a static mapping: a WAN port leads to a host of the LAN',
  builder: yargs => routerTarget(yargs)
    .positional('port', { type: 'string', demandOption: true, describe: 'WAN port and protocol, such as 5000/tcp' })
    .positional('to', { type: 'string', demandOption: true, describe: 'ADDRESS:PORT on the LAN' })
    .example('$0 map 104a 5000/tcp 192.168.1.11:1600', 'the second row of Fig. 6'),
  handler: async ({ port, to, ...target }) => {
    const { number, protocol } = parsePortAndProtocol(port), host = parseEndpoint(to)
    await withRouter(target, router => router.request({ op: 'map', protocol, wanPort: number, address: formatIpv4(host.address), port: host.port }))
    console.log(`${target.router}: WAN port ${number}/${protocol} leads to ${formatEndpoint(host.address, host.port)}`)
  },
}

export const unmapCommand: CommandModule<object, UnmapArguments> = {
  command: 'unmap <router> <port>',
  describe: 'Remove a static mapping, with its sessions',
  builder: yargs => routerTarget(yargs)
    .positional('port', { type: 'string', demandOption: true, describe: 'WAN port and protocol, such as 5000/tcp' })
    .example('$0 unmap 104a 5000/tcp', 'nobody gets in there any more'),
  handler: async ({ port, ...target }) => {
    const { number, protocol } = parsePortAndProtocol(port)
    await withRouter(target, router => router.request({ op: 'unmap', protocol, wanPort: number }))
    console.log(`${target.router}: WAN port ${number}/${protocol} is mapped no longer`)
  },
}

function parsePortAndProtocol(text: string): { number: number, protocol: 'tcp' | 'udp' } {
  const [port, protocol] = text.split('/')
  if (protocol !== 'tcp' && protocol !== 'udp') throw new UsageError(`'${text}' is not PORT/tcp or PORT/udp (such as 5000/tcp)`)
  return { number: parsePort(port), protocol }
}
