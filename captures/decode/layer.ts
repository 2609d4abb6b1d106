// What a decoded frame consists of: layers, each with its fields and where in the frame they stand.

export interface Field {
  readonly name: string
  readonly value: string | number
  /** Bytes from the beginning of the frame. Fields of a few bits name the bytes they share. */
  readonly offset: number
  readonly length: number
}

/** `partial`: only the pseudo-header's sum, as a sender with checksum offload leaves it. `absent`: UDP's zero. */
export type ChecksumVerdict = 'right' | 'wrong' | 'partial' | 'absent'

export type Protocol = 'ethernet' | 'vlan' | 'cooked' | 'loopback' | 'arp' | 'ipv4' | 'ipv6' | 'udp' | 'tcp' | 'icmp' | 'quoted'

export interface Layer {
  readonly protocol: Protocol
  readonly offset: number
  readonly length: number
  readonly fields: readonly Field[]
  /** Not there for a layer that has no checksum, or of which too little is there to know. */
  readonly checksum?: ChecksumVerdict
}

export type Row = readonly [name: string, value: string | number, at: number, length: number]

/** Rows give offsets within the layer. */
export function layer(protocol: Protocol, offset: number, length: number, rows: readonly Row[], checksum?: ChecksumVerdict): Layer {
  const fields = rows.map(([name, value, at, size]) => ({ name, value, offset: offset + at, length: size }))
  return { protocol, offset, length, fields, ...(checksum === undefined ? {} : { checksum }) }
}
