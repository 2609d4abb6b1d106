// A bench described as data: networks, the hosts on them, and the routers between them. This file is the vocabulary;
// read-bench.ts turns untrusted data into it, plan.ts works out what has to be made.
import type { DeviceKind } from '../../napt/device/open.js'
import { parsePrefix, type Prefix } from '../../napt/wire/address.js'

export interface NetworkDescription {
  /** Bytes of IP packet; 1500 unless given. */
  readonly mtu?: number
  /** Off (the default): every frame is one that a wire would carry. On: faster, with frames far above the MTU. */
  readonly offloads?: 'on' | 'off'
}

export interface HostDescription {
  readonly title?: string
  readonly network: string
  /**
   * `192.168.1.11/24`; without a length the host is on a flat network, where everything is on the wire. Of several, the first is
   * what its programs send from unless they choose.
   */
  readonly address: string | readonly string[]
  /** The way to everything beyond the host's own prefix. */
  readonly gateway?: string
}

export interface RouterSide {
  readonly network: string
  /** Owned by the router's own process: the kernel of its namespace knows no address. */
  readonly address: string
}

export interface RouterDescription {
  readonly title?: string
  readonly lan: RouterSide
  readonly wan: RouterSide
  /** How the router reaches its frames; `packet` unless given. With `tap` it is at one end of each of its cables itself. */
  readonly device?: DeviceKind
  /** Behaviour of the router, handed on to its process. */
  readonly nat?: unknown
}

export interface BenchDescription {
  readonly name: string
  /** Off by default: it would send frames that nobody asked for. */
  readonly ipv6?: 'on' | 'off'
  /** Two ends on a network: a cable. Any other number: a switch. */
  readonly networks: Readonly<Record<string, NetworkDescription>>
  readonly hosts: Readonly<Record<string, HostDescription>>
  readonly routers?: Readonly<Record<string, RouterDescription>>
}

/** Something about a bench that the person who asked for it can put right. */
export class BenchError extends Error {
  override readonly name: string = 'BenchError'
  /** What a command ends with: 2 for wrong usage or a missing prerequisite, 1 for what went wrong on the way. */
  readonly exitCode: 1 | 2 = 2
}

/** A bench that was described rightly and yet did not come up, or did not last. */
export class BenchFailure extends BenchError {
  override readonly name = 'BenchFailure'
  override readonly exitCode = 1
}

export const addressesOf = ({ address }: HostDescription): readonly string[] => typeof address === 'string' ? [address] : address

/** A bare address is a prefix of its own. @throws AddressError */
export const prefixOf = (address: string): Prefix => parsePrefix(address.includes('/') ? address : `${address}/32`)
