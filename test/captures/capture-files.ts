// Capture files for the tests of `show` and its filters: a golden's packets of all interfaces in one file, as a run of ours writes
// it, and a file in which everything stands that a packet's line may have to say.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CaptureStream, PcapngWriter, type InterfacePacket } from '../../captures/index.js'
import { goldenFolder } from '../../captures/regression/golden-file.js'
import { parseIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import { randomBytes } from './support.js'

export interface Seen { readonly interface: string, readonly packet: InterfacePacket }

/** What the addresses of Fig. 1 are called. */
export const NAMES: ReadonlyMap<Ipv4Address, string> = new Map([['130.74.23.6', '101'], ['192.168.1.11', '102'], ['192.168.1.3', '103'], ['4.17.168.2', '104a'], ['202.204.16.13', '104b']]
  .map(([address, name]) => [parseIpv4(address), name] as const))

export const COMMENT = [
  '104b  wan → lan  dropped  udp 8.117.12.109:9000 → 202.204.16.13:3400, 2 bytes',
  '  mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent, 4 min 12 s left',
  '  filter   address and port-dependent: nothing was sent to 8.117.12.109:9000 (sent to: 130.74.23.6:1200)',
  '  reason   filtered: the WAN port is mapped, but its filter does not let this sender in: the host has sent nothing to it',
  '  rule     RFC 4787 REQ-8',
].join('\n')
export const FORWARDED = '104b  lan → wan  forwarded  udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes, as 202.204.16.13:3400 → 130.74.23.6:1200'

/** A golden's packets in the order of time; from one pcapng, or from a pcap an interface. */
export async function goldenPackets(name: string): Promise<{ readonly seen: readonly Seen[], readonly keyLog: string }> {
  const folder = goldenFolder(name), seen: Seen[] = []
  let keyLog = existsSync(join(folder, 'keys.log')) ? readFileSync(join(folder, 'keys.log'), 'utf8') : ''
  for (const file of readdirSync(folder).filter(each => /\.pcap(ng)?$/.test(each)).sort()) {
    const stream = await CaptureStream.open(join(folder, file))
    for await (const batch of stream.batches()) for (const packet of batch) seen.push({ interface: packet.interface.name || file.replace('.pcap', ''), packet })
    if (stream.damage !== null) throw stream.damage
    keyLog ||= stream.keyLog
  }
  return { seen: seen.sort((a, b) => Number(a.packet.time - b.packet.time)), keyLog }
}

export interface FileOptions {
  readonly names?: ReadonlyMap<Ipv4Address, string>
  readonly keyLog?: string
  readonly comment?: (at: number) => string
  /** Packets behind those of the golden, and the link type of their interface. */
  readonly more?: readonly Uint8Array[]
  readonly linkType?: number
}

/** Writes packets with their interfaces by name; those of `more` a microsecond apart. */
export function writeFile(path: string, seen: readonly Seen[], { names, keyLog = '', comment = () => '', more = [], linkType = 1 }: FileOptions = {}): void {
  const file = new PcapngWriter(path), ids = new Map<string, number>()
  for (const name of ['104a-lan', '104a-wan', ...seen.map(each => each.interface)]) {
    if (!ids.has(name)) ids.set(name, file.interface({ name, description: '', linkType: 1, snapLength: 0 }))
  }
  if (names !== undefined) file.names(names)
  if (keyLog !== '') file.secrets(keyLog)
  seen.forEach(({ interface: name, packet: { bytes, time, originalLength } }, at) => file.packet(bytes, { interfaceId: ids.get(name) ?? 0, time, originalLength, comment: comment(at) }))
  const interfaceId = linkType === 1 ? 0 : file.interface({ name: 'other', description: '', linkType, snapLength: 0 })
  const last = seen.at(-1)?.packet.time ?? 0n
  more.forEach((bytes, at) => file.packet(bytes, { interfaceId, time: last + BigInt(at + 1) * 1000n }))
  file.close()
}

/** Frames changed at one byte or cut, the same in every run: each of `bases` in `rounds` ways. */
export function damaged(bases: readonly Uint8Array[], rounds: number, seed: string): Uint8Array[] {
  const random = randomBytes(seed), below = (limit: number): number => (random.next().value * 256 + random.next().value) % limit
  return bases.flatMap(base => Array.from({ length: rounds }, () => {
    const frame = Uint8Array.from(base)
    if (frame.length === 0) return frame
    frame[below(Math.min(frame.length, 70))] = random.next().value
    return random.next().value % 4 === 0 ? frame.subarray(0, below(frame.length)) : frame
  }))
}
