// A small rtnetlink client: cables, bridges, addresses and routes. A socket belongs for good to the network namespace in
// which it was opened, so one socket per namespace serves from anywhere. Why not `ip`: a fresh machine may lack iproute2,
// and a process start per step costs more than the step.
import { closeSync } from 'node:fs'
import { libc } from '../../napt/system/libc.js'
import { SystemError } from '../../napt/system/error.js'
import type { Ipv4Address, MacAddress } from '../../napt/wire/address.js'
import { write32 } from '../../napt/wire/bytes.js'
import {
  LITTLE, HEADER, attribute, attributes, linkHeader, message, messages, readText, readU32, text, trafficHeader, u32, type Message,
} from './netlink-message.js'

const AF_INET = 2, AF_NETLINK = 16, SOCK_RAW = 3, SOCK_CLOEXEC = 0o2000000, NETLINK_ROUTE = 0
const SOL_SOCKET = 1, SO_RCVTIMEO = 20, SOL_NETLINK = 270, NETLINK_CAP_ACK = 10, NETLINK_EXT_ACK = 11
const MSG = { error: 2, newLink: 16, getLink: 18, newAddress: 20, newRoute: 24, newDiscipline: 36, newFilter: 44 } as const
const FLAG = { request: 1, ack: 4, exclusive: 0x200, create: 0x400 } as const
const ACK_HAS_ATTRIBUTES = 0x200, ACK_TEXT = 1
const LINK = { address: 1, name: 3, mtu: 4, master: 10, queueLength: 13, operationalState: 16, info: 18, namespaceFd: 28 } as const
const LINK_INFO = { kind: 1, data: 2 } as const
const VETH_PEER = 1, BRIDGE_MULTICAST_SNOOPING = 23
const IFF_UP = 1, STATE_UP = 6, GROUP_LINK = 1
const ADDRESS = { address: 1, local: 2 } as const
const ROUTE = { interface: 4, gateway: 5 } as const
const TABLE_MAIN = 254, PROTOCOL_STATIC = 4, SCOPE_UNIVERSE = 0, SCOPE_LINK = 253, TYPE_UNICAST = 1
const TRAFFIC = { kind: 1, options: 2 } as const
const INGRESS_PARENT = 0xffff_fff1, INGRESS_HANDLE = 0xffff_0000
/** Of a filter: its priority, and ETH_P_ALL in the order of the network. */
const EVERY_PROTOCOL = 0x0001_0300
const BPF = { length: 4, program: 5, flags: 8 } as const
const ACT_DIRECTLY = 1
/** Classic BPF, `ret #2`: TC_ACT_SHOT. Where it is spelled otherwise (s390x), the kernel refuses it. */
const DROP_ALL = Uint8Array.of(6, 0, 0, 0, 2, 0, 0, 0)
const ANSWER_ROOM = 32768

/** One end of a cable: an interface to be made in the namespace behind the descriptor. `mtu` is in bytes of IP packet. */
export interface CableEnd { readonly name: string, readonly mac: MacAddress, readonly mtu: number, readonly namespace: number }

export interface Link {
  readonly index: number
  readonly name: string
  readonly mac: Uint8Array
  readonly mtu: number
  /** It carries frames: it and its other end are up, and the kernel has put that into effect. */
  readonly operational: boolean
}

const addressBytes = (address: Ipv4Address): Uint8Array => {
  const bytes = new Uint8Array(4)
  write32(bytes, 0, address)
  return bytes
}

export class RouteSocket {
  readonly #fd: number
  readonly #room = new Uint8Array(ANSWER_ROOM)
  #sequence = 0

  /**
   * A socket in the calling thread's network namespace.
   * @param listen also hear of changes to links, as `whenOperational` needs
   * @throws SystemError
   */
  constructor(listen = false) {
    const doing = 'open an rtnetlink socket'
    this.#fd = libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE, doing)
    const address = new Uint8Array(12)
    const view = new DataView(address.buffer)
    view.setUint16(0, AF_NETLINK, LITTLE)
    view.setUint32(8, listen ? GROUP_LINK : 0, LITTLE)
    libc().bind(this.#fd, address, doing)
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) libc().setsockopt(this.#fd, SOL_NETLINK, option, u32(1), doing)
  }

  /** Makes both ends of a veth pair at once, each in its own namespace: nothing has to be moved afterwards. */
  createCable(a: CableEnd, b: CableEnd): void {
    const end = ({ name, mac, mtu, namespace }: CableEnd): Uint8Array[] => [
      linkHeader(), attribute(LINK.name, text(name)), attribute(LINK.address, mac), attribute(LINK.mtu, u32(mtu)),
      attribute(LINK.namespaceFd, u32(namespace)),
    ]
    const peer = attribute(LINK_INFO.data, attribute(VETH_PEER, ...end(b)))
    this.#create(MSG.newLink, `make the cable ${a.name}–${b.name}`,
      ...end(a), attribute(LINK.info, attribute(LINK_INFO.kind, text('veth')), peer))
  }

  /** A switch without spanning tree and without multicast snooping, both of which would send frames of their own. */
  createBridge(name: string, mac: MacAddress): void {
    const data = attribute(LINK_INFO.data, attribute(BRIDGE_MULTICAST_SNOOPING, Uint8Array.of(0)))
    this.#create(MSG.newLink, `make the bridge ${name}`, linkHeader(), attribute(LINK.name, text(name)),
      attribute(LINK.address, mac), attribute(LINK.info, attribute(LINK_INFO.kind, text('bridge')), data))
  }

  /** @throws SystemError when there is no interface of that name */
  link(name: string): Link {
    return readLink(this.#request(MSG.getLink, 0, `find interface ${name}`, linkHeader(), attribute(LINK.name, text(name))))
  }

  setMaster(index: number, master: number): void {
    this.#request(MSG.newLink, FLAG.ack, 'plug a cable into the bridge', linkHeader(index), attribute(LINK.master, u32(master)))
  }

  /** Of an interface that is there: address, MTU, and how many frames may wait for whoever reads it. */
  configure(index: number, { mac, mtu, queueLength }: { readonly mac: MacAddress, readonly mtu: number, readonly queueLength: number }): void {
    this.#request(MSG.newLink, FLAG.ack, 'set address and MTU of an interface', linkHeader(index),
      attribute(LINK.address, mac), attribute(LINK.mtu, u32(mtu)), attribute(LINK.queueLength, u32(queueLength)))
  }

  setUp(index: number): void {
    this.#request(MSG.newLink, FLAG.ack, 'set an interface up', linkHeader(index, IFF_UP, IFF_UP))
  }

  addAddress(index: number, address: Ipv4Address, prefixLength: number): void {
    const header = new Uint8Array(8)
    header.set([AF_INET, prefixLength, 0, SCOPE_UNIVERSE])
    new DataView(header.buffer).setInt32(4, index, LITTLE)
    const bytes = addressBytes(address)
    this.#create(MSG.newAddress, 'add an address', header, attribute(ADDRESS.local, bytes), attribute(ADDRESS.address, bytes))
  }

  /** Default route: through the gateway, or, without one, everything is taken to be on the wire (`scope link`). */
  addDefaultRoute(index: number, gateway?: Ipv4Address): void {
    const scope = gateway === undefined ? SCOPE_LINK : SCOPE_UNIVERSE
    const header = Uint8Array.of(AF_INET, 0, 0, 0, TABLE_MAIN, PROTOCOL_STATIC, scope, TYPE_UNICAST, 0, 0, 0, 0)
    const via = gateway === undefined ? [] : [attribute(ROUTE.gateway, addressBytes(gateway))]
    this.#create(MSG.newRoute, 'add the default route', header, ...via, attribute(ROUTE.interface, u32(index)))
  }

  /**
   * From now on the kernel looks at nothing that comes in at the interface; packet sockets still get all of it. For who has no address
   * there, looking each packet up only to drop it took a third of the time in which the sender's core delivers a small one.
   * @throws SystemError where the kernel was built without ingress filters
   */
  dropIncoming(index: number): void {
    const doing = 'keep incoming packets from the kernel'
    this.#create(MSG.newDiscipline, doing, trafficHeader(index, INGRESS_HANDLE, INGRESS_PARENT), attribute(TRAFFIC.kind, text('ingress')))
    this.#create(MSG.newFilter, doing, trafficHeader(index, 0, INGRESS_HANDLE, EVERY_PROTOCOL), attribute(TRAFFIC.kind, text('bpf')), attribute(TRAFFIC.options,
      attribute(BPF.flags, u32(ACT_DIRECTLY)), attribute(BPF.length, Uint8Array.of(1, 0)), attribute(BPF.program, DROP_ALL)))
  }

  /**
   * Blocks until the interface carries frames. Up is not enough: the kernel switches the sender on a little later, and a
   * frame sent in between is lost (an ARP request so lost costs a second). Needs a listening socket.
   * @throws SystemError when nothing changes for `timeout` milliseconds
   */
  whenOperational(name: string, timeout: number): void {
    const doing = `wait for interface ${name} to carry frames`
    const time = new Uint8Array(16)
    const view = new DataView(time.buffer)
    view.setBigInt64(0, BigInt(Math.floor(timeout / 1000)), LITTLE)
    view.setBigInt64(8, BigInt(timeout % 1000) * 1000n, LITTLE)
    libc().setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, time, doing)
    let operational = this.link(name).operational
    while (!operational) {
      for (const { type, payload } of this.#receive(doing)) {
        if (type !== MSG.newLink) continue
        const link = readLink(payload)
        if (link.name === name) operational = link.operational
      }
    }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #create(type: number, doing: string, ...parts: Uint8Array[]): void {
    this.#request(type, FLAG.ack | FLAG.create | FLAG.exclusive, doing, ...parts)
  }

  /** Sends, then reads until the answer: the kernel's acknowledgement, or the thing asked for. @returns its payload */
  #request(type: number, flags: number, doing: string, ...parts: Uint8Array[]): Uint8Array {
    const sequence = ++this.#sequence
    libc().send(this.#fd, message(type, FLAG.request | flags, sequence, ...parts), 0, doing)
    while (true) {
      for (const answer of this.#receive(doing)) {
        if (answer.sequence !== sequence) continue // news of a link, on a listening socket
        if (answer.type === MSG.error) throwUnlessAcknowledged(answer, doing)
        return answer.payload
      }
    }
  }

  #receive(doing: string): Generator<Message> {
    return messages(this.#room.subarray(0, libc().recv(this.#fd, this.#room, 0, doing)))
  }
}

function readLink(payload: Uint8Array): Link {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const found = attributes(payload.subarray(linkHeader().length))
  return {
    index: view.getInt32(4, LITTLE), name: readText(found.get(LINK.name)), mac: (found.get(LINK.address) ?? new Uint8Array(6)).slice(),
    mtu: readU32(found.get(LINK.mtu)), operational: found.get(LINK.operationalState)?.[0] === STATE_UP,
  }
}

/** An error message with number 0 is the acknowledgement; else the kernel may add a sentence of its own. */
function throwUnlessAcknowledged({ flags, payload }: Message, doing: string): void {
  const errno = -new DataView(payload.buffer, payload.byteOffset, 4).getInt32(0, LITTLE)
  if (errno === 0) return
  const words = flags & ACK_HAS_ATTRIBUTES ? readText(attributes(payload.subarray(4 + HEADER)).get(ACK_TEXT)) : ''
  throw new SystemError('rtnetlink', errno, doing, words === '' ? undefined : words)
}
