// The alerts of SSL 3.0 (RFC 6101 5.4), and the error with which a connection ends.
import { ChannelError, type ChannelFault } from '../channel/channel.js'

export const ALERTS = {
  closeNotify: 0, unexpectedMessage: 10, badRecordMac: 20, decompressionFailure: 30, handshakeFailure: 40, noCertificate: 41, badCertificate: 42,
  unsupportedCertificate: 43, certificateRevoked: 44, certificateExpired: 45, certificateUnknown: 46, illegalParameter: 47,
} as const
export type AlertName = keyof typeof ALERTS
export const ALERT_LEVEL = { warning: 1, fatal: 2 } as const

/** An alert by its number, as RFC 6101 writes it. */
export function alertText(code: number): string {
  const name = Object.entries(ALERTS).find(([, value]) => value === code)?.[0]
  return name === undefined ? `alert ${code}` : name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}

/** Something that ends the connection. */
export class Ssl3Error extends ChannelError {
  /** @param alert what the other end is told; null when it told us, or cannot hear any more */
  constructor(readonly alert: AlertName | null, sentence: string, fault: ChannelFault = 'malformed') {
    super(fault, sentence)
    this.name = 'Ssl3Error'
  }
}
