// Run on a host of a bench: prints what the kernel there has, as JSON.
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { RouteSocket } from '../../lab/bench/netlink.js'
import { offloadsOn, type Offload } from '../../lab/bench/offloads.js'
import { formatIpv4, formatMac, type Ipv4Address } from '../../napt/wire/address.js'

export interface Look {
  readonly links: Readonly<Record<string, { mac: string, mtu: number, operational: boolean, offloads: Offload[] }>>
  readonly addresses: readonly string[]
  /** `DESTINATION/LENGTH via GATEWAY dev NAME`, with 0.0.0.0 for no gateway. */
  readonly routes: readonly string[]
  readonly forwarding: string
}

const lines = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')
/** /proc/net/route has addresses as one number in the machine's byte order. */
const address = (hex: string): string => formatIpv4(Buffer.from(hex, 'hex').readUInt32LE() as Ipv4Address)
const lengthOf = (hex: string): number => parseInt(hex, 16).toString(2).replaceAll('0', '').length

const socket = new RouteSocket()
const names = lines('/proc/net/dev').slice(2).map(line => line.split(':')[0].trim()).filter(name => name !== 'lo')
const look: Look = {
  links: Object.fromEntries(names.map(name => {
    const { mac, mtu, operational } = socket.link(name)
    return [name, { mac: formatMac(mac), mtu, operational, offloads: offloadsOn(name) }]
  })),
  addresses: Object.values(networkInterfaces()).flatMap(infos => infos ?? []).flatMap(({ cidr }) => cidr ?? []),
  routes: lines('/proc/net/route').slice(1).map(line => line.split('\t')).map(([name, destination, gateway, , , , , mask]) =>
    `${address(destination)}/${lengthOf(mask)} via ${address(gateway)} dev ${name}`),
  forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim(),
}
process.stdout.write(JSON.stringify(look))
