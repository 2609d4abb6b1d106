// Lines that many scripts have in common: A's flows to S through R, and what passes on them.

/** A mapping for UDP. */
export const FLOW = `
  lan udp A:2000 > S:1200
  → wan udp R:2000 > S:1200`

export const UDP_IN = `
  wan udp S:1200 > R:2000
  → lan udp S:1200 > A:2000`

/** A mapping each for A and B. */
export const BOTH_MAPPED = `${FLOW}
  lan udp B:3000 > S:1200
  → wan udp R:3000 > S:1200`

export const QUERY = `
  lan echo A > S id 7
  → wan echo R > S id 7`

/** The first step of a connection, and the second; RFC 7857 Fig. 1 has it established then. */
export const SYN = `
  lan tcp A:2600 > S:1300 SYN
  → wan tcp R:2600 > S:1300 SYN`

export const SYN_IN = `
  wan tcp S:1300 > R:2600 SYN ACK
  → lan tcp S:1300 > A:2600 SYN ACK`

export const ACK_OUT = `
  lan tcp A:2600 > S:1300 ACK
  → wan tcp R:2600 > S:1300 ACK`

export const ACK_IN = `
  wan tcp S:1300 > R:2600 ACK
  → lan tcp S:1300 > A:2600 ACK`

/** A connection that is up for the lines behind it. */
export const ESTABLISHED = SYN + SYN_IN + ACK_OUT

export const DATA_OUT = `
  lan tcp A:2600 > S:1300 PSH ACK 'data'
  → wan tcp R:2600 > S:1300 PSH ACK 'data'`

export const DATA_IN = `
  wan tcp S:1300 > R:2600 PSH ACK 'data'
  → lan tcp S:1300 > A:2600 PSH ACK 'data'`

export const FIN_OUT = `
  lan tcp A:2600 > S:1300 FIN ACK
  → wan tcp R:2600 > S:1300 FIN ACK`

export const FIN_IN = `
  wan tcp S:1300 > R:2600 FIN ACK
  → lan tcp S:1300 > A:2600 FIN ACK`

export const RST_IN = `
  wan tcp S:1300 > R:2600 RST
  → lan tcp S:1300 > A:2600 RST`

/** The connection's mapping is no more. */
export const TCP_GONE = `
  wan tcp S:1300 > R:2600 ACK
  → dropped no-mapping`

export const UDP_GONE = `
  wan udp S:1200 > R:2000
  → dropped no-mapping`
