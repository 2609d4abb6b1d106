// Reads a bench description from YAML, JSON or a value. Every problem is found in one go and named by the path of its field.
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { loadYaml } from '../../captures/yaml.js'
import { DEVICE_KINDS, type DeviceKind } from '../../napt/device/open.js'
import { ConfigError } from '../../napt/fields.js'
import { parseRouterConfig } from '../../napt/router-config.js'
import { AddressError, formatIpv4, isInPrefix, parseIpv4, parsePrefix, type Ipv4Address, type Prefix } from '../../napt/wire/address.js'
import {
  addressesOf, BenchError, prefixOf, type BenchDescription, type HostDescription, type NetworkDescription, type RouterDescription, type RouterSide,
} from './bench.js'
import { resolveNat } from '../read-nat.js'

/** @returns the checked behaviour of a router. @throws Error whose message says what is wrong with it */
export type NatReader = (nat: unknown) => unknown

/** Names become file names, and part of the path of a socket, whose length is limited. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,30}$/
const NAME_RULE = 'is not a name (a letter or digit, then up to 30 letters, digits and hyphens)'
const LEAST_MTU = 68, MOST_MTU = 65535 // RFC 791 section 3.2, and what veth takes

/** @throws BenchError that names the file, and each problem by the path of its field */
export function readBenchFile(path: string, readNat?: NatReader): BenchDescription {
  let value: unknown
  try {
    value = loadYaml().parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new BenchError(`bench file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return readBench(value, { source: path, folder: dirname(path), ...readNat && { readNat } })
}

export interface ReadBenchOptions {
  /** The file, for messages. */
  readonly source?: string
  /** Where the names of NAT files begin; the present folder unless given. */
  readonly folder?: string
  /** For routers of the caller's own; naptlab's own are checked as their program will. */
  readonly readNat?: NatReader
}

/** @throws BenchError that names each problem by the path of its field */
export function readBench(value: unknown, options: ReadBenchOptions = {}): BenchDescription {
  // What was written is kept: a bench shows its own words, not every default.
  const reader = new Reader(options.readNat ?? (nat => resolveNat(nat, options.folder)))
  const description = reader.bench(value)
  if (reader.problems.length === 0) reader.relations(description)
  if (reader.problems.length === 0 && options.readNat === undefined) reader.routerConfigs(description)
  const { problems } = reader
  if (problems.length === 0) return description
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  throw new BenchError(`the bench description${options.source ? ` ${options.source}` : ''} has ${count}:\n${problems.map(problem => `  ${problem}`).join('\n')}`)
}

type Fields = Readonly<Record<string, unknown>>

class Reader {
  readonly problems: string[] = []
  constructor(private readonly readNat: NatReader) {}

  bench(value: unknown): BenchDescription {
    const fields = this.fields(value, '', ['name', 'ipv6', 'networks', 'hosts', 'routers'])
    return {
      name: this.name(fields.name, 'name'),
      ...this.choice(fields, 'ipv6', 'ipv6'),
      networks: this.each(fields.networks, 'networks', (network, path) => this.network(network, path)),
      hosts: this.each(fields.hosts, 'hosts', (host, path) => this.host(host, path)),
      ...fields.routers !== undefined && { routers: this.each(fields.routers, 'routers', (router, path) => this.router(router, path)) },
    }
  }

  private network(value: unknown, path: string): NetworkDescription {
    const fields = this.fields(value ?? {}, path, ['mtu', 'offloads']) // `wan:` with nothing after it is null in YAML
    const { mtu } = fields
    const isMtu = typeof mtu === 'number' && Number.isInteger(mtu) && mtu >= LEAST_MTU && mtu <= MOST_MTU
    if (mtu !== undefined && !isMtu) this.problem(`${path}.mtu`, `${show(mtu)} is not a whole number of ${LEAST_MTU} to ${MOST_MTU}`)
    return { ...isMtu && { mtu }, ...this.choice(fields, 'offloads', `${path}.offloads`) }
  }

  private host(value: unknown, path: string): HostDescription {
    const fields = this.fields(value, path, ['title', 'network', 'address', 'gateway'])
    return {
      ...this.title(fields, path),
      network: this.text(fields.network, `${path}.network`),
      address: this.addresses(fields.address, `${path}.address`),
      ...fields.gateway !== undefined && { gateway: this.parsed(fields.gateway, `${path}.gateway`, parseIpv4) },
    }
  }

  private router(value: unknown, path: string): RouterDescription {
    const fields = this.fields(value, path, ['title', 'lan', 'wan', 'device', 'nat'])
    return {
      ...this.title(fields, path), lan: this.side(fields.lan, `${path}.lan`), wan: this.side(fields.wan, `${path}.wan`),
      ...this.device(fields.device, `${path}.device`),
      ...fields.nat !== undefined && { nat: this.nat(fields.nat, `${path}.nat`) },
    }
  }

  private side(value: unknown, path: string): RouterSide {
    const fields = this.fields(value, path, ['network', 'address'])
    return { network: this.text(fields.network, `${path}.network`), address: this.address(fields.address, `${path}.address`) }
  }

  private device(value: unknown, path: string): { device?: DeviceKind } {
    if (value === undefined) return {}
    const device = DEVICE_KINDS.find(kind => kind === value)
    if (device === undefined) this.problem(path, `${show(value)} is not one of ${DEVICE_KINDS.join(', ')}`)
    return device === undefined ? {} : { device }
  }

  private nat(value: unknown, path: string): unknown {
    try {
      return this.readNat(value)
    } catch (error) {
      this.problem(path, error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  private fields(value: unknown, path: string, known: readonly string[]): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problem(path, `${show(value)} is not a set of fields (${known.join(', ')})`)
      return {}
    }
    for (const field of Object.keys(value)) {
      if (!known.includes(field)) this.problem(path === '' ? field : `${path}.${field}`, `there is no such field (known: ${known.join(', ')})`)
    }
    return value as Fields
  }

  private each<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): Record<string, T> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problem(path, `${show(value)} is not a set of named ${path}`)
      return {}
    }
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => {
      this.name(name, `${path}.${name}`)
      return [name, read(entry, `${path}.${name}`)]
    }))
  }

  private text(value: unknown, path: string): string {
    if (typeof value === 'string' && value !== '') return value
    this.problem(path, value === undefined ? 'is missing' : `${show(value)} is not text${typeof value === 'number' ? ': put it in quotes' : ''}`)
    return ''
  }

  private name(value: unknown, path: string): string {
    const text = this.text(value, path)
    if (text !== '' && !NAME.test(text)) this.problem(path, `'${text}' ${NAME_RULE}`)
    return text
  }

  private title(fields: Fields, path: string): { title?: string } {
    return fields.title === undefined ? {} : { title: this.text(fields.title, `${path}.title`) }
  }

  private choice<K extends string>(fields: Fields, field: K, path: string): Partial<Record<K, 'on' | 'off'>> {
    const value = fields[field]
    if (value !== undefined && value !== 'on' && value !== 'off') this.problem(path, `${show(value)} is neither on nor off`)
    return (value === 'on' || value === 'off' ? { [field]: value } : {}) as Partial<Record<K, 'on' | 'off'>>
  }

  private addresses(value: unknown, path: string): string | readonly string[] {
    if (!Array.isArray(value)) return this.address(value, path)
    if (value.length === 0) this.problem(path, 'is an empty list')
    return value.map((item, index) => this.address(item, `${path}[${index}]`))
  }

  private address(value: unknown, path: string): string {
    return this.parsed(value, path, text => text.includes('/') ? parsePrefix(text) : parseIpv4(text))
  }

  private parsed(value: unknown, path: string, parser: (text: string) => unknown): string {
    const text = this.text(value, path)
    if (text === '') return text
    try {
      parser(text)
    } catch (error) {
      if (!(error instanceof AddressError)) throw error
      this.problem(path, error.message)
    }
    return text
  }

  private problem(path: string, what: string): void {
    this.problems.push(path === '' ? what : `${path}: ${what}`)
  }

  /** What no field shows by itself: names that lead nowhere, addresses twice, gateways that are not there. */
  relations(description: BenchDescription): void {
    const { networks, hosts, routers = {} } = description
    const ends = endsOf(description)
    if (ends.length === 0) this.problem('hosts', 'there is neither a host nor a router')
    for (const router of Object.keys(routers)) {
      if (Object.hasOwn(hosts, router)) this.problem(`routers.${router}`, 'a host has this name already')
      if (routers[router].lan.network === routers[router].wan.network) this.problem(`routers.${router}`, 'both sides are on the same network')
    }
    for (const network of Object.keys(networks)) {
      if (!ends.some(end => end.network === network)) this.problem(`networks.${network}`, 'no host and no router is on it')
    }
    ends.forEach((end, index) => {
      if (!Object.hasOwn(networks, end.network)) {
        this.problem(`${end.path}.network`, `there is no network '${end.network}' (known: ${Object.keys(networks).join(', ')})`)
      }
      end.prefixes.forEach(({ address }, at) => {
        const other = ends.slice(0, index).find(candidate => isAt(candidate, end.network, address))
        if (other) this.problem(`${end.path}.address`, `${other.path} has ${formatIpv4(address)} already`)
        if (end.prefixes.slice(0, at).some(prefix => prefix.address === address)) this.problem(`${end.path}.address`, `${formatIpv4(address)} is there twice`)
      })
    })
    for (const [name, host] of Object.entries(hosts)) this.gateway(`hosts.${name}.gateway`, host, ends)
  }

  /** What a router's own program would refuse later, when the bench stands. */
  routerConfigs({ routers = {} }: BenchDescription): void {
    for (const [name, { lan, wan, nat = {} }] of Object.entries(routers)) {
      try {
        parseRouterConfig({ name, lan: { interface: 'lan', address: lan.address }, wan: { interface: 'wan', address: wan.address }, nat }, `routers.${name}`)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        this.problems.push(error.message)
      }
    }
  }

  private gateway(at: string, host: HostDescription, ends: readonly End[]): void {
    const { gateway, network } = host
    if (gateway === undefined) return
    const address = parseIpv4(gateway)
    const own = addressesOf(host).map(prefixOf), prefixes = own.filter(({ length }) => length < 32)
    if (prefixes.length === 0) this.problem(at, 'a host with a bare address has everything on the wire: give it a prefix (such as /24) or no gateway')
    else if (!prefixes.some(prefix => isInPrefix(address, prefix))) this.problem(at, `${gateway} is not in the host's own prefix`)
    else if (own.some(prefix => prefix.address === address)) this.problem(at, 'is the host itself')
    else if (!ends.some(end => isAt(end, network, address))) this.problem(at, `nobody on ${network} has the address ${gateway}`)
  }
}

interface End { readonly path: string, readonly network: string, readonly prefixes: readonly Prefix[] }

const isAt = ({ network, prefixes }: End, where: string, address: Ipv4Address): boolean =>
  network === where && prefixes.some(prefix => prefix.address === address)

function endsOf({ hosts, routers = {} }: BenchDescription): End[] {
  const side = (path: string, { network, address }: RouterSide): End => ({ path, network, prefixes: [prefixOf(address)] })
  return [
    ...Object.entries(hosts).map(([name, host]): End => ({ path: `hosts.${name}`, network: host.network, prefixes: addressesOf(host).map(prefixOf) })),
    ...Object.entries(routers).flatMap(([name, { lan, wan }]) => [side(`routers.${name}.lan`, lan), side(`routers.${name}.wan`, wan)]),
  ]
}

const show = (value: unknown): string => value === undefined ? 'nothing' : typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
