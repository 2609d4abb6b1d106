// Writes a pcapng file bit by bit, under a temporary name beside it; `close` gives it its own name. Each flush ends at the end of
// a block, so that what a killed process leaves under the temporary name can be read to its last block.
import { WholeFile } from '../whole-file.js'
import { enhancedPacket, interfaceDescription, interfaceStatistics, nameResolution, sectionHeader, tlsSecrets, type PacketFacts } from './blocks.js'
import type { CaptureInterface, InterfaceStatistics } from './format.js'
import type { Ipv4Address } from '../../../napt/wire/address.js'

/** Characters of a key log in one block. */
const MOST_SECRETS = 1 << 20

export class PcapngWriter {
  readonly #file: WholeFile
  #interfaces = 0
  #packets = 0

  /**
   * @param application what the file says it was written by
   * @param mode who may read it, as chmod has it; 0o600 for a file that gets secrets
   * @throws the system's error (`EACCES`, `ENOENT` …) when the folder cannot be written
   */
  constructor(path: string, application = 'naptlab', comment = '', mode = 0o666) {
    this.#file = new WholeFile(path, mode)
    this.#file.write(sectionHeader(application, comment))
  }

  get path(): string { return this.#file.path }
  get isOpen(): boolean { return this.#file.isOpen }
  /** Bytes written so far. */
  get size(): number { return this.#file.size }
  /** Packets written so far. */
  get packets(): number { return this.#packets }

  /** Gives the number by which packets name it. */
  interface(description: Omit<CaptureInterface, 'id'>): number {
    this.#file.write(interfaceDescription(description))
    return this.#interfaces++
  }

  /** Adds a packet; its bytes are copied. @throws RangeError for what the format cannot hold, and for an interface that was not described */
  packet(bytes: Uint8Array, facts: PacketFacts): void {
    this.#known(facts.interfaceId)
    this.#file.write(enhancedPacket(bytes, facts))
    this.#packets++
  }

  /** Names for addresses: of the packets behind them in the file. */
  names(names: ReadonlyMap<Ipv4Address, string>): void { this.#file.write(nameResolution(names)) }

  /** Lines of a key log: they open what is behind them in the file. Many go into several blocks. */
  secrets(keyLog: string): void {
    for (let at = 0; at < keyLog.length;) {
      const end = at + MOST_SECRETS >= keyLog.length ? keyLog.length : keyLog.lastIndexOf('\n', at + MOST_SECRETS) + 1 || keyLog.length
      this.#file.write(tlsSecrets(keyLog.slice(at, end)))
      at = end
    }
  }

  /** `time` in nanoseconds since 1970. */
  statistics(interfaceId: number, time: bigint, statistics: InterfaceStatistics): void {
    this.#known(interfaceId)
    this.#file.write(interfaceStatistics(interfaceId, time, statistics))
  }

  /** Hands what is in memory to the system. */
  flush(): void { this.#file.flush() }
  /** Flushes and gives the file its name. Closing twice does nothing. */
  close(): void { this.#file.close() }
  /** Gives up: nothing is left behind. */
  discard(): void { this.#file.discard() }

  #known(interfaceId: number): void {
    if (interfaceId < 0 || interfaceId >= this.#interfaces) throw new RangeError(`interface ${interfaceId} was not described; ${this.#interfaces} were`)
  }
}
