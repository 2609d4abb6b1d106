// How many columns of a terminal a text takes, and texts that come from the network made harmless.

/** Made when the first text needs it, which most runs have none of: it takes 15 ms. */
let graphemes: Intl.Segmenter | null = null
const segmentsOf = (text: string): Intl.Segments => (graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' })).segment(text)

/** Two columns: East Asian wide and full-width letters, and pictures (Unicode TR 11 and TR 51, as terminals draw them). */
const WIDE = /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})/u
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u

/** Of one column each, and most of what is printed: to ask Unicode about each of them is what would take longest of a ladder. */
const NARROW = /^[ -~·×…→✓✗●►◄─│├┤┼]*$/

/** Columns; `text` has no escape sequences (see `printable`). */
export function displayWidth(text: string): number {
  if (NARROW.test(text)) return text.length
  let width = 0
  for (const { segment } of segmentsOf(text)) width += NO_WIDTH.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1
  return width
}

/** Control characters and marks that turn the direction of writing are shown as their code: nobody steers a terminal from afar. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, mark => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** `text`, or its beginning and `…`, in at most `width` columns. */
export function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let fitted = '', used = 0
  for (const { segment } of segmentsOf(text)) {
    used += displayWidth(segment)
    if (used > width - 1) break
    fitted += segment
  }
  return width < 1 ? '' : `${fitted}…`
}
