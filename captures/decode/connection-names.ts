// How TCP's own packets are called in a ladder, by the connection that they belong to.
import type { HandshakeNumbers } from './tls-naming.js'

/** A connection of the document, or a UDP exchange whose datagrams are no messages. */
export interface ConnectionName {
  /** The end that is called, `ADDRESS:PORT`, as seen on the WAN. */
  readonly called: string
  /** The end that calls, where several call the same one; as seen on either side of its router. */
  readonly caller?: string
  /** The packet that starts it. */
  readonly start: string
  /** The step that its data belongs to, or ''. */
  readonly step: string
  /** The calling end's last packet, where the document numbers it. */
  readonly end?: string
  /** The numbers of its TLS handshake, where the document has them. */
  readonly handshake?: HandshakeNumbers
  /** What data that is no message is called, to the called end and from it. */
  readonly data?: { readonly there: string, readonly back: string }
}

export const FIG2_CONNECTIONS: readonly ConnectionName[] = [
  {
    called: '130.74.23.6:1201', start: '211', step: '',
    handshake: { clientHello: '212', serverHello: '213', certificate: '214', clientKey: '215', serverKey: '216' },
  },
  {
    called: '130.74.23.6:1300', start: '221', step: '',
    handshake: { clientHello: '222', serverHello: '223', certificate: '214', clientKey: '224', serverKey: '225' },
  },
  { called: '4.17.168.2:5000', start: '208', step: 'S209' },
]
