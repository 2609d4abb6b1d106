// Where the packets of a translation go: into a file, or nowhere, where only the router's word is wanted.
import type { CaptureInterface, Direction, InterfaceStatistics } from '../../captures/files/pcapng/format.js'
import type { Ipv4Address } from '../../napt/wire/address.js'

/** What BulkPcapngWriter does. */
export interface Sink {
  interface(description: Omit<CaptureInterface, 'id'>): number
  names(names: ReadonlyMap<Ipv4Address, string>): void
  secrets(keyLog: string): void
  statistics(interfaceId: number, time: bigint, statistics: InterfaceStatistics): void
  lend(length: number): Uint8Array
  begin(interfaceId: number, high: number, low: number, bytes: Uint8Array, start: number, end: number, originalLength: number): number
  readonly memory: Uint8Array
  end(direction: Direction, packetId: number, comment: Uint8Array | null): void
  ready(): Promise<void>
  close(): Promise<void>
}

export class Nowhere implements Sink {
  #interfaces = 0
  /** The open packet. */
  memory: Uint8Array = new Uint8Array(0)

  interface(): number { return this.#interfaces++ }
  names(): void { /* nobody reads them */ }
  secrets(): void { /* nobody reads them */ }
  statistics(): void { /* nobody reads them */ }
  lend(length: number): Uint8Array { return new Uint8Array(length) }
  begin(_interfaceId: number, _high: number, _low: number, bytes: Uint8Array, start: number, end: number): number {
    this.memory = bytes.slice(start, end)
    return 0
  }

  end(): void { /* nothing is kept */ }
  ready(): Promise<void> { return Promise.resolve() }
  close(): Promise<void> { return Promise.resolve() }
}
