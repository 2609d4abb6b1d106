// The network of the conformance cases, by short names: hosts of the LAN A, B and C behind the router (G on the LAN; R, R2 and R3
// on the WAN), S and T on the WAN, and M, a router on the way to them.

export const ADDRESSES = {
  A: '192.168.1.3', B: '192.168.1.4', C: '192.168.1.5',
  G: '192.168.1.1', R: '202.204.16.13', R2: '202.204.16.20', R3: '202.204.16.99',
  S: '130.74.23.6', T: '8.117.12.109', M: '9.9.9.9',
} as const

const BY_NAME = new Map<string, string>(Object.entries(ADDRESSES))
const BY_ADDRESS = new Map<string, string>(Object.entries(ADDRESSES).map(([name, address]) => [address, name]))

/** The address behind a name; an address is itself. */
export const addressOf = (name: string): string => BY_NAME.get(name) ?? name

/** The addresses in a text become names where they have one. */
export const named = (text: string): string => text.replace(/\d+(?:\.\d+){3}/g, address => BY_ADDRESS.get(address) ?? address)
