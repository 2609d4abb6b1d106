// What a router knows of its interface to a side.
import type { MacAddress } from './wire/address.js'

/** Its MAC address, and the bytes of IP that a frame holds. */
export interface SideFacts { readonly mac: MacAddress, readonly mtu: number }
