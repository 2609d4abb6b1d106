// The pcapng file format (draft-ietf-opsawg-pcapng): what its reader and writer share. A file is a row of blocks; a section
// header begins a section with a byte order and interfaces of its own, and every packet names its interface.

import type { CapturedPacket } from '../pcap.js'

export const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  /** The packet block of before 2012; still read. */
  oldPacket: 2,
  simplePacket: 3,
  nameResolution: 4,
  interfaceStatistics: 5,
  enhancedPacket: 6,
  decryptionSecrets: 10,
} as const

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d
/** Type, total length, and the length again behind the body. Bytes. */
export const BLOCK_FRAME = 12
/** A longer block is damage: the largest thing that is ever written is a key log. Bytes. */
export const LONGEST_BLOCK = 1 << 24

export const OPTION = {
  end: 0, comment: 1,
  section: { hardware: 2, os: 3, application: 4 },
  interface: { name: 2, description: 3, resolution: 9, filter: 11, os: 12, offset: 14 },
  packet: { flags: 2, drops: 4, id: 5 },
  statistics: { start: 2, end: 3, received: 4, dropped: 5 },
} as const

/** Kinds of record in a name resolution block. */
export const NAME_RECORD = { end: 0, ipv4: 1 } as const
/** Kinds of decryption secrets: "TLSK". */
export const SECRETS_TLS = 0x544c534b

/** What one interface of a section is. */
export interface CaptureInterface {
  /** Of the file, in the order of their descriptions, from 0; sections go on counting. */
  readonly id: number
  /** Empty when the file does not say; then numbers are all there is. */
  readonly name: string
  readonly description: string
  /** As libpcap numbers them; 1 is Ethernet. */
  readonly linkType: number
  /** The most bytes of a packet that were kept; 0 for no limit. */
  readonly snapLength: number
}

/** Wireshark's directions, as a packet block's flags hold them. */
export const DIRECTION = { inbound: 1, outbound: 2 } as const
export type Direction = keyof typeof DIRECTION

/** A packet of a file whose packets name their interfaces; of a pcap file, that is its only one. */
export interface InterfacePacket extends CapturedPacket {
  readonly interface: CaptureInterface
  readonly direction: Direction | null
  /** The same for each copy of one packet, such as the two sides of a router see (epb_packetid); null when the file has none. */
  readonly packetId: bigint | null
  /** Empty when there is none; several stand on lines of their own. */
  readonly comment: string
}

/** Packets of an interface that were seen, and those that could not be kept. */
export interface InterfaceStatistics {
  readonly received: bigint | null
  readonly dropped: bigint | null
}

/** Bytes up to the next multiple of four. */
export const padding = (length: number): number => -length & 3
