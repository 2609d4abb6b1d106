// What has to be made for a bench: namespaces, the interfaces in them, and which two interfaces are one cable. Pure: the same
// description always gives the same plan, MAC addresses included.
import { formatMac } from '../../napt/wire/address.js'
import { addressesOf, type BenchDescription, type NetworkDescription } from './bench.js'

export interface PlannedInterface {
  readonly name: string
  readonly network: string
  readonly mac: string
  readonly mtu: number
  readonly offloads: 'on' | 'off'
  /** As described, with or without a prefix length. A host's kernel is given them; a router's process owns its one; a switch has none. */
  readonly addresses: readonly string[]
  readonly gateway?: string
  /** What the router's program calls an interface, and the kernel has at the other end of the cable alone. */
  readonly isFile?: boolean
}

export interface PlannedNamespace {
  readonly name: string
  readonly kind: 'host' | 'router' | 'switch'
  readonly title: string
  readonly interfaces: readonly PlannedInterface[]
}

export interface CablePlug { readonly namespace: string, readonly interface: string }

export interface Plan {
  readonly ipv6: boolean
  readonly namespaces: readonly PlannedNamespace[]
  readonly cables: readonly (readonly [CablePlug, CablePlug])[]
  readonly taps: readonly Tap[]
}

/** A cable without an interface at the router's end, which is the TAP's file: `end` is the kernel's. */
export interface Tap { readonly router: CablePlug, readonly end: CablePlug }

export const BRIDGE = 'bridge'
const DEFAULT_MTU = 1500

/** Second byte of a MAC address: what it belongs to. The first, 02, says that it is locally administered (IEEE 802c). */
const MAC_KIND = { end: 0, port: 1, bridge: 2 } as const

/** 02:kind:network:network:end:end, counted from 1 in the order of the description: easy to tell apart in a capture. */
function macOf(kind: keyof typeof MAC_KIND, network: number, end: number): string {
  return formatMac(Uint8Array.of(2, MAC_KIND[kind], network >> 8, network, end >> 8, end))
}

interface Attachment { readonly namespace: string, readonly interface: string, readonly network: string, readonly own: Partial<PlannedInterface> }

/** @param description checked by readBench */
export function planBench(description: BenchDescription): Plan {
  const attachments = attachmentsOf(description)
  const made = new Map<Attachment, PlannedInterface>()
  const switches: PlannedNamespace[] = []
  const cables: [CablePlug, CablePlug][] = [], taps: Tap[] = []
  const connect = (a: Attachment, end: CablePlug): void => {
    if (a.own.isFile === true) taps.push({ router: plugOf(a), end })
    else cables.push([plugOf(a), end])
  }

  Object.entries(description.networks).forEach(([network, options], index) => {
    const ends = attachments.filter(attachment => attachment.network === network)
    const number = index + 1
    ends.forEach((end, at) => made.set(end, planInterface(end.interface, network, options, macOf('end', number, at + 1), end.own)))
    // Two files cannot be one cable: something has to be the kernel's.
    if (ends.length === 2 && !ends.every(end => end.own.isFile)) {
      const [a, b] = ends[1].own.isFile === true ? [ends[1], ends[0]] : ends
      connect(a, plugOf(b))
      return
    }
    const name = `switch.${network}` // a name of a host or router has no dot
    const ports = ends.map((end, at) => {
      const port = `port${at + 1}`
      connect(end, { namespace: name, interface: port })
      return planInterface(port, network, options, macOf('port', number, at + 1))
    })
    const bridge = planInterface(BRIDGE, network, options, macOf('bridge', number, 0))
    switches.push({ name, kind: 'switch', title: `switch of ${network}`, interfaces: [bridge, ...ports] })
  })

  const interfacesOf = (namespace: string): PlannedInterface[] =>
    attachments.filter(attachment => attachment.namespace === namespace).flatMap(attachment => made.get(attachment) ?? [])
  const hosts = Object.entries(description.hosts).map(([name, { title = '' }]): PlannedNamespace =>
    ({ name, kind: 'host', title, interfaces: interfacesOf(name) }))
  const routers = Object.entries(description.routers ?? {}).map(([name, { title = '' }]): PlannedNamespace =>
    ({ name, kind: 'router', title, interfaces: interfacesOf(name) }))
  return { ipv6: description.ipv6 === 'on', namespaces: [...hosts, ...routers, ...switches], cables, taps }
}

/** Hosts first, then routers, each in the order of the description: this order gives the MAC addresses. */
function attachmentsOf({ hosts, routers = {} }: BenchDescription): Attachment[] {
  return [
    ...Object.entries(hosts).map(([namespace, host]): Attachment => {
      const { network, gateway } = host
      return { namespace, interface: 'eth0', network, own: { addresses: addressesOf(host), ...gateway !== undefined && { gateway } } }
    }),
    ...Object.entries(routers).flatMap(([namespace, { lan, wan, device }]): Attachment[] => {
      const file = device === 'tap' && { isFile: true }
      return [
        { namespace, interface: 'lan', network: lan.network, own: { addresses: [lan.address], ...file } },
        { namespace, interface: 'wan', network: wan.network, own: { addresses: [wan.address], ...file } },
      ]
    }),
  ]
}

function planInterface(
  name: string, network: string, { mtu = DEFAULT_MTU, offloads = 'off' }: NetworkDescription, mac: string, own: Partial<PlannedInterface> = {},
): PlannedInterface {
  return { name, network, mac, mtu, offloads, addresses: [], ...own }
}

const plugOf = (attachment: Attachment): CablePlug => ({ namespace: attachment.namespace, interface: attachment.interface })
