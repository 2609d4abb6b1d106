// Capture files put through a router: what came in on its sides, in the order of time, and what it sent because of it, in one
// pcapng file. The router is the live one's core; time is the packets' own; nothing of the machine takes part.
import type { CaptureStream } from '../../captures/files/capture-stream.js'
import type { CaptureFileError } from '../../captures/files/pcap.js'
import { BulkPcapngWriter } from '../../captures/files/pcapng/bulk-writer.js'
import type { CaptureInterface } from '../../captures/files/pcapng/format.js'
import { ConfigError } from '../../napt/fields.js'
import { parseBehaviour } from '../../napt/behaviour/read-behaviour.js'
import type { RouterConfig } from '../../napt/router-config.js'
import type { Side } from '../../napt/verdict.js'
import type { Ipv4Address, Prefix } from '../../napt/wire/address.js'
import type { NamedNat } from '../read-nat.js'
import { Frame } from './frame.js'
import { placeByAddress, placeOnSide, sideOfInterface, type Addresses, type Place } from './places.js'
import { DEFAULT_WAN_ADDRESS, findLan, findWanAddress, lastHost, Stations } from './surroundings.js'
import { Translation, type CommentChoice, type Observer, type TranslationResult } from './translation.js'
import type { Sink } from './sink.js'
import { inOrderOfTime, openSources, type Source, type TranslateInput } from './sources.js'

export interface TranslateOptions extends RouterOptions {
  /** Path of the pcapng file that is written. */
  readonly output: string
}

/** The router that packets are put through, and which of them are. */
export interface RouterOptions {
  readonly nat: NamedNat
  /** Of the router, in the file's comments and interface names. */
  readonly name?: string
  readonly seed?: number
  /** The LAN's network. */
  readonly lan?: Prefix
  readonly lanAddress?: Ipv4Address
  readonly wanAddress?: Ipv4Address
  /** Whether packets as LAN hosts received them are turned back; by default where a file shows the LAN alone. */
  readonly answers?: boolean
  readonly comments?: CommentChoice
  /** Of a file with the interfaces of several routers: whose are taken. */
  readonly router?: string
  /** Called now and then with the bytes read, and in all where that is known. */
  readonly onProgress?: (read: number, all: number | null) => void
}

export interface TranslateReport extends PutThroughReport { readonly output: string }

export interface PutThroughReport extends TranslationResult {
  readonly nat: string
  readonly lan: Prefix
  readonly wanAddress: Ipv4Address
  /** What ended a file before its end. */
  readonly damage: readonly CaptureFileError[]
}

/**
 * The output is written whole or not at all; damage ends an input there, and what came before is in it.
 * @throws CaptureFileError when an input is no capture; ConfigError for a router that cannot be; the system's error for the output
 */
export async function translate(input: TranslateInput, options: TranslateOptions): Promise<TranslateReport> {
  const file = await BulkPcapngWriter.open(options.output)
  try {
    return { output: options.output, ...await putThrough(input, file, options) }
  } catch (error) {
    await file.discard()
    throw error
  }
}

/** As `translate`, to anywhere, up to packet number `until` of a single file. */
export async function putThrough(input: TranslateInput, sink: Sink, options: RouterOptions, observer: Observer | null = null, until = Infinity): Promise<PutThroughReport> {
  const sources = await openSources(input, length => sink.lend(length))
  try {
    return await run(sources, sink, options, observer, until)
  } finally {
    for (const source of sources) await source.close()
  }
}

async function run(sources: readonly Source[], sink: Sink, options: RouterOptions, observer: Observer | null, until: number): Promise<PutThroughReport> {
  const places = placesOf(sources, options)
  const config = configOf(places.addresses, options), stations = new Stations()
  for (const source of sources) for (const frame of source.beginning()) stations.meet(frame, places.of(frame))
  stations.settle()
  const translation = new Translation(sink, config, stations, options.comments ?? 'all', beginOf(sources), observer)
  translation.describe(namesOf(sources), keysOf(sources))
  const frame = new Frame()
  for await (const { batch, from, to, side } of inOrderOfTime(sources)) {
    for (let i = from; i < to; i++) {
      frame.load(batch, i, side)
      translation.put(frame, places.of(frame))
      if (frame.number === until) break
    }
    if (frame.number >= until) break
    await translation.ready()
    options.onProgress?.(sources.reduce((sum, { stream }) => sum + stream.bytesRead, 0), totalOf(sources))
  }
  const done = await translation.close()
  return { nat: options.nat.name, lan: config.lan.prefix, wanAddress: config.wan.address, ...done, damage: sources.flatMap(({ stream }) => stream.damage ?? []) }
}

interface Places {
  readonly addresses: Addresses
  of(frame: Frame): Place
}

function placesOf(sources: readonly Source[], options: RouterOptions): Places {
  const router = sources.length === 1 && sources[0].side === null ? routerOf(sources[0].stream, options.router) : null
  const known = new Map<CaptureInterface, Side | null>()
  const sideOf = (frame: Frame): Side | null => {
    if (frame.side !== null || router === null) return frame.side
    const before = known.get(frame.interface)
    if (before !== undefined) return before
    const found = sideOfInterface(frame.interface.name), side = found?.router === router ? found.side : null
    known.set(frame.interface, side)
    return side
  }
  const sides = new Set(sources.flatMap(({ side, stream }) => side === null ? sidesOf(stream, router) : [side]))
  const addresses: Addresses = {
    lan: lanOf(sides.size === 0 ? sources[0].beginning() : beginningOn(sources, 'lan', sideOf), options),
    wanAddress: options.wanAddress ?? (sides.has('wan') ? findWanAddress(beginningOn(sources, 'wan', sideOf)) : null) ?? DEFAULT_WAN_ADDRESS,
    answers: options.answers ?? !sides.has('wan'),
  }
  return {
    addresses,
    of: frame => {
      const side = sideOf(frame)
      if (side !== null) return placeOnSide(frame, side, addresses)
      return router === null ? placeByAddress(frame, addresses) : 'other-interface'
    },
  }
}

function * beginningOn(sources: readonly Source[], side: Side, sideOf: (frame: Frame) => Side | null): Generator<Frame, undefined> {
  for (const source of sources) for (const frame of source.beginning()) if (sideOf(frame) === side) yield frame
}

function sidesOf({ interfaces }: CaptureStream, router: string | null): Side[] {
  return interfaces.flatMap(({ name }) => {
    const found = sideOfInterface(name)
    return found !== null && found.router === router ? [found.side] : []
  })
}

/** Whose interfaces tell the sides of a file, by their names; null when none do. */
function routerOf({ file, interfaces }: CaptureStream, wanted: string | undefined): string | null {
  const routers = [...new Set(interfaces.flatMap(({ name }) => sideOfInterface(name)?.router ?? []))]
  if (wanted === undefined ? routers.length <= 1 : routers.includes(wanted)) return wanted ?? routers.at(0) ?? null
  throw new ConfigError(wanted === undefined ? `${file} has the interfaces of several routers (${routers.join(', ')}): say with --router which one is to be replaced`
    : `${file} has no interfaces of a router '${wanted}' (it has those of ${routers.join(', ') || 'none'})`)
}

function lanOf(frames: Iterable<Frame>, { lan, lanAddress }: RouterOptions): Prefix {
  const network = lan ?? findLan(frames)
  if (network === null) throw new ConfigError('which side is the LAN cannot be told: no packet at the beginning has a private address (RFC 1918). Give --lan, such as --lan 192.168.1.0/24')
  return { address: lanAddress ?? lastHost(network), length: network.length }
}

function configOf({ lan, wanAddress }: Addresses, { nat, name = 'NAT', seed = 1 }: RouterOptions): RouterConfig {
  return { name, lan: { interface: `${name}-lan`, prefix: lan }, wan: { interface: `${name}-wan`, address: wanAddress }, nat: parseBehaviour(nat.nat, nat.name), seed }
}

/** When the first packet came, nanoseconds since 1970. */
function beginOf(sources: readonly Source[]): bigint {
  const [first = 0n, ...others] = sources.flatMap(({ batch }) => batch.count > 0 ? [batch.time(0)] : [])
  return others.reduce((a, b) => a < b ? a : b, first)
}

const namesOf = (sources: readonly Source[]): Map<Ipv4Address, string> => new Map(sources.flatMap(({ stream }) => [...stream.names]))
const keysOf = (sources: readonly Source[]): string => sources.map(({ stream }) => stream.keyLog).join('')

function totalOf(sources: readonly Source[]): number | null {
  return sources.reduce<number | null>((sum, { stream: { size } }) => sum === null || size === null ? null : sum + size, 0)
}
