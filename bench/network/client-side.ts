// How the client reaches the server, as its kernel found it: by which interface, from which address, through whose MAC address. It is
// the same whatever the router is, a cable or somebody's TAP.
import { closeSync, readFileSync } from 'node:fs'
import { readInterface } from '../../napt/system/interface.js'
import { libc } from '../../napt/system/libc.js'
import { formatEndpoint, formatIpv4, parseMac, type Ipv4Address, type MacAddress } from '../../napt/wire/address.js'
import { read16, readInt32 } from '../../napt/wire/bytes.js'
import { PORT } from './protocol.js'
import { AF_INET, loadSockets, setReceiveTimeout, SIZEOF_SOCKADDR_IN, SOCK_DGRAM, socketAddress } from './sockets.js'

export interface Path {
  readonly interface: string
  readonly address: Ipv4Address
  readonly mac: MacAddress
  readonly nextHop: MacAddress
}

/** A router that is ready answers the first; one that has to ask for addresses may lose it. */
const ATTEMPTS = 25, ANSWER_MS = 200
const MESSAGE_BYTES = 32
/** In an echoed message; the port and the address of a `struct sockaddr_in` behind a sequence number of 8 bytes (server-process.ts). */
const PORT_AT = 10, ADDRESS_AT = 12

export class ClientSide {
  readonly #server: string
  #path: Path | undefined

  constructor(server: string) { this.#server = server }

  /** Sends a datagram there and back. @returns its source as the server sees it. @throws Error when none comes back */
  hello(): string {
    const calls = loadSockets(), fd = libc().socket(AF_INET, SOCK_DGRAM, 0, 'open a socket')
    try {
      setReceiveTimeout(fd, ANSWER_MS)
      if (calls.connect(fd, socketAddress(this.#server, PORT.echo), SIZEOF_SOCKADDR_IN) !== 0) throw new Error(`no route leads from the client to ${this.#server}`)
      const message = new Uint8Array(MESSAGE_BYTES)
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        calls.send(fd, message, message.length, 0)
        if (calls.recv(fd, message, message.length, 0) !== message.length) continue
        const own = new Uint8Array(SIZEOF_SOCKADDR_IN)
        calls.getsockname(fd, own, Uint32Array.of(SIZEOF_SOCKADDR_IN))
        this.#path = pathFrom(readInt32(own, 4) as Ipv4Address)
        return formatEndpoint(readInt32(message, ADDRESS_AT) as Ipv4Address, read16(message, PORT_AT))
      }
    } finally {
      closeSync(fd)
    }
    throw new Error(`nothing came back from ${this.#server} within ${ATTEMPTS * ANSWER_MS / 1000} s`)
  }

  /** @throws Error before there was a hello */
  path(): Path {
    if (this.#path === undefined) throw new Error('the way to the server is not known yet: say hello first')
    return this.#path
  }
}

/** By the default route, and the neighbour that it names. */
function pathFrom(address: Ipv4Address): Path {
  const route = rows('route').find(([, destination]) => destination === '00000000')
  if (route === undefined) throw new Error('the client has no default route')
  const [name, , gatewayHex] = route
  const gateway = formatIpv4(Buffer.from(gatewayHex, 'hex').readInt32LE() as Ipv4Address)
  const neighbour = rows('arp').find(([ip]) => ip === gateway)?.[3]
  if (neighbour === undefined) throw new Error(`the client's kernel knows no MAC address of ${gateway}`)
  return { interface: name, address, mac: readInterface(name).mac as MacAddress, nextHop: parseMac(neighbour) }
}

/** Of a table of /proc/net, without its heading. */
const rows = (table: string): string[][] => readFileSync(`/proc/net/${table}`, 'utf8').trimEnd().split('\n').slice(1).map(line => line.trim().split(/\s+/))
