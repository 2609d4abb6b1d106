// A filter of libpcap's language (pcap-filter(7)) over frames in memory, with libpcap's own compiler, through koffi. For frames
// that do not come from an interface of libpcap's; those the kernel filters.
import { createRequire } from 'node:module'
import type Koffi from 'koffi'

/** A filter that libpcap refuses, in its own words; or libpcap is not there. */
export class PcapFilterError extends Error { override readonly name = 'PcapFilterError' }

const LIBRARY = 'libpcap.so.0.8'
const LINK_TYPE_ETHERNET = 1, LONGEST_FRAME = 262_144
/** `struct bpf_program`: a count and a pointer. `struct pcap_pkthdr`: a time of 16 bytes, the length that is there, and that on the wire. */
const SIZEOF_PROGRAM = 16, SIZEOF_HEADER = 24, LENGTH_AT = 16, WIRE_LENGTH_AT = 20

type Pointer = bigint | null

interface Libpcap {
  open(linkType: number, snapLength: number): Pointer
  compile(handle: Pointer, program: Uint8Array, expression: string, optimize: number, netmask: number): number
  geterr(handle: Pointer): string
  matches(program: Uint8Array, header: Uint8Array, frame: Uint8Array): number
}

export class PcapFilter {
  readonly #libpcap: Libpcap
  readonly #program = new Uint8Array(SIZEOF_PROGRAM)
  readonly #header = new Uint8Array(SIZEOF_HEADER)
  readonly #view = new DataView(this.#header.buffer)

  /** @param expression as in `udp port 1200`; '' for everything. @throws PcapFilterError */
  constructor(readonly expression: string) {
    this.#libpcap = load()
    const handle = this.#libpcap.open(LINK_TYPE_ETHERNET, LONGEST_FRAME)
    if (this.#libpcap.compile(handle, this.#program, expression, 1, 0xffff_ffff) === 0) return
    throw new PcapFilterError(`the filter '${expression}' is none: ${this.#libpcap.geterr(handle)}. Write it as for tcpdump, such as 'udp port 1200' or 'host 192.168.1.3 and tcp' (man pcap-filter).`)
  }

  /** Whether an Ethernet frame, in full, is meant. */
  matches(frame: Uint8Array): boolean {
    const little = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
    this.#view.setUint32(LENGTH_AT, frame.length, little)
    this.#view.setUint32(WIRE_LENGTH_AT, frame.length, little)
    return this.#libpcap.matches(this.#program, this.#header, frame) !== 0
  }
}

function load(): Libpcap {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
  try {
    const library = koffi.load(LIBRARY)
    return {
      open: library.func('void *pcap_open_dead(int, int)') as Libpcap['open'],
      compile: library.func('int pcap_compile(void *, void *, const char *, int, uint)') as Libpcap['compile'],
      geterr: library.func('const char *pcap_geterr(void *)') as Libpcap['geterr'],
      matches: library.func('int pcap_offline_filter(const void *, const void *, const void *)') as Libpcap['matches'],
    }
  } catch (error) {
    throw new PcapFilterError(`a filter is compiled by libpcap, which is not installed (${error instanceof Error ? error.message : String(error)}). To add it: sudo apt-get install -y libpcap0.8`, { cause: error })
  }
}
