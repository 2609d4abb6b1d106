// Amounts for people, in units of the SI (1 MB is 1,000,000 bytes), and back.
const PREFIXES = ['', 'k', 'M', 'G', 'T'] as const

/** Three digits at least, as in `999 B`, `1.23 kB`, `104.9 MB`, `12345 TB`. */
export function bytesText(bytes: number): string {
  let value = bytes, prefix = 0
  while (value >= 999.95 && prefix < PREFIXES.length - 1) {
    value /= 1000
    prefix++
  }
  return `${prefix === 0 ? Math.round(value) : value.toFixed(value < 9.995 ? 2 : 1)} ${PREFIXES[prefix]}B`
}

/** @param rate bytes a second */
export const rateText = (rate: number): string => `${bytesText(rate)}/s`

/** Hundredths, which is what the kernel counts. */
export const secondsText = (seconds: number): string => `${seconds.toFixed(2)} s`

const SIZE = /^(\d+(?:\.\d+)?) ?(?:([kMGT]|[KMGT]i)?B)?$/i
const POWERS: Readonly<Record<string, number | undefined>> = { k: 1000, m: 1000 ** 2, g: 1000 ** 3, t: 1000 ** 4, ki: 1024, mi: 1024 ** 2, gi: 1024 ** 3, ti: 1024 ** 4 }

/** Bytes of `100MB`, `64MiB`, `1.5GB` or `4096`; null for what is no size, or no whole number of bytes. */
export function readSize(text: string): number | null {
  const match = SIZE.exec(text.trim())
  if (match === null) return null
  const [, number, prefix = ''] = match as readonly (string | undefined)[]
  // To a thousandth of a byte: 0.1 is not quite a tenth.
  const bytes = Math.round(Number(number) * (POWERS[prefix.toLowerCase()] ?? 1) * 1000) / 1000
  return Number.isSafeInteger(bytes) ? bytes : null
}

const DURATION = /^(\d+(?:\.\d+)?) ?(ms|s|m|min|h)$/
const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }

/** Milliseconds of `500ms`, `10s`, `1.5m` or `2h`; null for what is no length of time, or none at all. */
export function readDuration(text: string): number | null {
  const match = DURATION.exec(text.trim())
  return match === null ? null : Math.round(Number(match[1]) * MILLISECONDS[match[2]]) || null
}
