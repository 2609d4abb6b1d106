// Alerts in words (RFC 8446 §6, and those of RFC 5246 §7.2 and RFC 6101 §5.4 that it no longer has).
const DESCRIPTIONS: Readonly<Record<number, string | undefined>> = {
  0: 'close notify', 10: 'unexpected message', 20: 'bad record MAC', 21: 'decryption failed', 22: 'record overflow', 30: 'decompression failure',
  40: 'handshake failure', 41: 'no certificate', 42: 'bad certificate', 43: 'unsupported certificate', 44: 'certificate revoked',
  45: 'certificate expired', 46: 'certificate unknown', 47: 'illegal parameter', 48: 'unknown CA', 49: 'access denied', 50: 'decode error',
  51: 'decrypt error', 60: 'export restriction', 70: 'protocol version', 71: 'insufficient security', 80: 'internal error',
  86: 'inappropriate fallback', 90: 'user cancelled', 100: 'no renegotiation', 109: 'missing extension', 110: 'unsupported extension',
  112: 'unrecognized name', 113: 'bad certificate status response', 115: 'unknown PSK identity', 116: 'certificate required', 120: 'no application protocol',
}

/** As in `unknown CA`. */
export const alertName = (description: number): string => DESCRIPTIONS[description] ?? `alert ${description}`
