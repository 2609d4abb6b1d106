// Who takes part: the kernel and other people's NATs as Debian has them, and our router on each of its devices.
import { fileURLToPath } from 'node:url'
import { DEVICE_KINDS } from '../../napt/device/open.js'
import { ADD_CAP, hasCap } from '../../napt/device/libpcap.js'
import { isInstalled } from '../process.js'
import type { TopologyOptions } from './topology.js'

export interface Entrant extends TopologyOptions {
  readonly name: string
  readonly title: string
  readonly isOurs: boolean
  /** Its work is done by no process, but in the softirqs that the senders' packets bring about. */
  readonly isInKernel: boolean
  /** Why it cannot take part on this machine, with the line that changes it; null when it can. */
  readonly missing: string | null
  /** The program in the router's place; naptlab's own router unless given. */
  readonly routerScript?: string
  readonly routerSettings: Readonly<Record<string, unknown>>
}

/** What everything else is measured against. */
export const KERNEL = 'kernel'

/** Debian's packages of all peers, and of iperf3. */
export const INSTALL = 'sudo apt-get install -y nftables slirp4netns passt iperf3'

const PEER_PROGRAM = fileURLToPath(new URL('./peer-process.js', import.meta.url))
const PEERS = [
  { name: KERNEL, title: 'the kernel, nftables masquerade', program: 'nft', hasGateway: true },
  { name: 'slirp4netns', title: 'slirp4netns', program: 'slirp4netns', hasGateway: false },
  { name: 'pasta', title: 'pasta', program: 'pasta', hasGateway: false },
] as const

const peer = ({ name, title, program, hasGateway }: typeof PEERS[number]): Entrant => ({
  name, title, isOurs: false, isInKernel: name === KERNEL, missing: isInstalled(program) ? null : `${program} is not installed: ${INSTALL}`,
  offloads: 'on', hasGateway, routerScript: PEER_PROGRAM, routerSettings: { peer: name },
})

const ours = (device: string): Entrant => ({
  name: device, title: `naptlab, device ${device}`, isOurs: true, isInKernel: false, missing: device === 'libpcap' && !hasCap() ? `the package cap is not installed: ${ADD_CAP}` : null,
  // libpcap hands over neither partial checksums nor what GSO leaves to others.
  offloads: device === 'libpcap' ? 'off' : 'on', hasGateway: true, ...device === 'tap' ? { device } : {}, routerSettings: { device },
})

export const allEntrants = (): Entrant[] => [...PEERS.map(peer), ...DEVICE_KINDS.map(ours)]
