// ASCII text put straight into bytes: each function writes at a place and gives the place behind what it wrote. Whoever calls has
// made room. A line of a large file is put together by these alone; a string for each part would take four times as long.

const ZERO = 48, SPACE = 32, DOT = 46, MINUS = 45
/** The decimal digits of 0 … 255, four bytes each: how many, then the digits. */
const OCTETS = octetTable()

/** A few bytes as they are. */
export function putRaw(bytes: Uint8Array, at: number, text: Uint8Array): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text[i]
  return at + text.length
}

/** A whole number of 0 … 2^53 - 1, with blanks before it up to `width` characters. */
export function putNumber(bytes: Uint8Array, at: number, value: number, width = 0): number {
  let digits = digitsOf(value)
  for (let blank = width - digits; blank > 0; blank--) bytes[at++] = SPACE
  const end = at + digits
  let rest = value
  for (let place = end - 1; rest > 0x3fffffff; place--) {
    const next = Math.floor(rest / 10)
    bytes[place] = ZERO + (rest - next * 10)
    rest = next
    digits--
  }
  // Numbers of 30 bits are divided as integers, which is several times faster.
  let small = rest | 0
  for (let place = at + digits - 1; place >= at; place--) {
    const next = (small / 10) | 0
    bytes[place] = ZERO + (small - next * 10)
    small = next
  }
  return end
}

function digitsOf(value: number): number {
  if (value < 100) return value < 10 ? 1 : 2
  if (value < 10_000) return value < 1000 ? 3 : 4
  let digits = 5
  for (let limit = 100_000; value >= limit; limit *= 10) digits++
  return digits
}

/** Thousandths as `-12.345`, with blanks before it up to `width` characters; a whole number of at most 2^53 - 1 either way. */
export function putThousandths(bytes: Uint8Array, at: number, value: number, width: number): number {
  const size = Math.abs(value), whole = Math.floor(size / 1000), rest = (size - whole * 1000) | 0
  if (value < 0) {
    for (let blank = width - digitsOf(whole) - 5; blank > 0; blank--) bytes[at++] = SPACE
    bytes[at++] = MINUS
    at = putNumber(bytes, at, whole)
  } else {
    at = putNumber(bytes, at, whole, width - 4)
  }
  const tenths = (rest / 100) | 0, hundredths = ((rest / 10) | 0) - tenths * 10
  bytes[at] = DOT
  bytes[at + 1] = ZERO + tenths
  bytes[at + 2] = ZERO + hundredths
  bytes[at + 3] = ZERO + rest - tenths * 100 - hundredths * 10
  return at + 4
}

/** An Ipv4Address in its four numbers. */
export function putAddress(bytes: Uint8Array, at: number, value: number): number {
  at = putOctet(bytes, at, value >>> 24)
  bytes[at] = DOT
  at = putOctet(bytes, at + 1, (value >>> 16) & 255)
  bytes[at] = DOT
  at = putOctet(bytes, at + 1, (value >>> 8) & 255)
  bytes[at] = DOT
  return putOctet(bytes, at + 1, value & 255)
}

/** Three digits are written, whichever count: what is too much is written over next. */
function putOctet(bytes: Uint8Array, at: number, value: number): number {
  const from = value << 2
  bytes[at] = OCTETS[from + 1]
  bytes[at + 1] = OCTETS[from + 2]
  bytes[at + 2] = OCTETS[from + 3]
  return at + OCTETS[from]
}

function octetTable(): Uint8Array {
  const table = new Uint8Array(1024)
  for (let value = 0; value < 256; value++) {
    const digits = String(value)
    table.set([digits.length, ...Buffer.from(digits)], value * 4)
  }
  return table
}
