// How the value of a field stands in bytes: one entry a kind. Every decoder takes any bytes and either gives a value that
// encodes to the same bytes again, or says what is wrong with them.

/** What is wrong with the bytes of one field. */
export class Flaw {
  constructor(readonly sentence: string) {}
}

/** A value that cannot be put into a message. The sentence names the field and what fits. */
export class EncodeError extends Error {}

export interface Kind<T> {
  /** @throws EncodeError when the value is not of this kind; lengths are checked by the caller */
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T | Flaw
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const toUtf8 = new TextEncoder()

function text(forbidden: RegExp, forbiddenName: string): Kind<string> {
  const flaw = `holds ${forbiddenName}`
  return {
    encode(value) {
      if (forbidden.test(value)) throw new EncodeError(flaw)
      return toUtf8.encode(value)
    },
    decode(bytes) {
      try {
        const value = utf8.decode(bytes)
        return forbidden.test(value) ? new Flaw(flaw) : value
      } catch {
        return new Flaw('is not UTF-8 text')
      }
    },
  }
}

/** Text that people see in one line: no control characters, so that nobody's terminal is steered from afar. */
export const name = text(/\p{Cc}/u, 'a control character')

/** Any text without a line feed. */
export const line = text(/\n/, 'a line feed')

export const ipv4: Kind<string> = {
  encode(value) {
    const parts = value.split('.')
    if (parts.length !== 4 || !parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
      throw new EncodeError(`is '${value}', not an IPv4 address such as 4.17.168.2`)
    }
    return Uint8Array.from(parts, Number)
  },
  decode: bytes => bytes.join('.'),
}

function number(bytes: number, min: number, max: number): Kind<number> {
  const flaw = (value: number | bigint) => `is ${value}, not ${min} to ${max}`
  return {
    encode(value) {
      if (!Number.isInteger(value) || value < min || value > max) throw new EncodeError(flaw(value))
      const out = new Uint8Array(bytes)
      for (let at = bytes - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 256)) out[at] = rest % 256
      return out
    },
    decode(from) {
      const value = from.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
      return value < BigInt(min) || value > BigInt(max) ? new Flaw(flaw(value)) : Number(value)
    },
  }
}

export const port = number(2, 1, 65535)
export const code = number(1, 0, 255)
/** A count of bytes that a JavaScript number holds exactly. */
export const size = number(8, 0, Number.MAX_SAFE_INTEGER)

export const flag: Kind<boolean> = {
  encode: value => Uint8Array.of(value ? 1 : 0),
  decode: ([byte]) => byte > 1 ? new Flaw(`is ${byte}, not 0 or 1`) : byte === 1,
}

/** Bytes that people see as hexadecimal digits: tokens and hashes. */
export const hex: Kind<string> = {
  encode(value) {
    if (!/^([0-9a-f]{2})*$/.test(value)) throw new EncodeError('is not made of pairs of hexadecimal digits in lower case')
    return Uint8Array.from(value.match(/../g) ?? [], pair => parseInt(pair, 16))
  },
  decode: bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(''),
}

/** The bytes themselves; decoding gives a view, not a copy. */
export const bytes: Kind<Uint8Array> = { encode: value => value, decode: value => value }
