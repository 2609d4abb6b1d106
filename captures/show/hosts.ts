// What addresses are called in a file: by the names that it brings, or by their digits.
import { formatIpv4, parseIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import { fit, printable } from '../decode/text-width.js'

/** Columns that a name gets at most. */
const WIDEST = 40
/** Names whose text is kept ready. */
const MOST_READY = 4096

export class Hosts {
  readonly #names: ReadonlyMap<Ipv4Address, string>
  readonly #ready = new Map<Ipv4Address, string>()

  /** `names`: as the file has them, growing as it is read; none for digits only. */
  constructor(names: ReadonlyMap<Ipv4Address, string>) { this.#names = names }

  get isEmpty(): boolean { return this.#names.size === 0 }
  has(address: Ipv4Address): boolean { return this.#names.has(address) }

  /** `192.168.1.3 (103)`, for an address in digits. */
  addressWithName(digits: string): string {
    const address = parseIpv4(digits)
    return this.has(address) ? `${digits} (${this.textOf(address)})` : digits
  }

  /** Harmless on a terminal. */
  textOf(address: Ipv4Address): string {
    const name = this.#names.get(address)
    if (name === undefined) return formatIpv4(address)
    const ready = this.#ready.get(address)
    if (ready !== undefined) return ready
    const text = fit(printable(name), WIDEST)
    if (this.#ready.size >= MOST_READY) this.#ready.clear()
    this.#ready.set(address, text)
    return text
  }
}
