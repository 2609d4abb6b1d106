// The numbers that hold unless an option says otherwise.

/** 1: the request goes straight to the registered UDP address. 2: adds 205 and the second connection. 3: adds the password. */
export const LEVELS = [1, 2, 3] as const
export type Level = typeof LEVELS[number]

/** Ports of the server (spec, "Ports"). */
export const SERVER_PORTS = { udp: 1200, issuer: 1201, acceptor: 1300 } as const

/** Between two registrations, milliseconds: below the 30 s after which the most impatient routers drop a UDP mapping. */
export const REGISTRATION_INTERVAL = 15_000
/** Of an entry of the equipment list, milliseconds: two registrations may be lost in a row. */
export const ENTRY_LIFETIME = 3 * REGISTRATION_INTERVAL

/** Of the certificate authority (51), TCP; the documents name none. */
export const AUTHORITY_PORT = 1210

/** Of the log-in relay, TCP; the document names none. */
export const LOGIN_RELAY_PORT = 1400
/** Between two hold messages on one connection, milliseconds. */
export const HOLD_INTERVAL = 15_000
/** Of a connection on which nothing comes, milliseconds: two hold messages may be late in a row. */
export const HOLD_LIFETIME = 3 * HOLD_INTERVAL

/** Milliseconds. Each time-out is longer than the sum of those it waits for, so that the end nearest to a fault names it. */
export const TIMEOUTS = {
  /** any end: for one message that the other end has to send at once, and for a TCP connection to come about */
  message: 5_000,
  /** 101, 11: between two repeats of a datagram */
  repeat: 1_000,
  /** 101, 11: for the acceptor to answer 205 or 36 with the second connection */
  notify: 5_000,
  /** 101: for the acceptor's report, which comes after its connection to the issuer and the greeting there */
  report: 12_000,
  /** 102: for the direct connection or a refusal, from the moment that 217 was sent */
  request: 20_000,
  /** S209: without progress while a file is under way or the end is awaited */
  stall: 30_000,
  /** 11: for an end of a relayed connection to take what the other has sent */
  relay: 300_000,
  /** log-in relay: for a connection of the demanded user to become vacant */
  vacancy: 1_000,
  /** log-in relay: for the demanded terminal's answer, which may first connect to an application there */
  decision: 8_000,
} as const
