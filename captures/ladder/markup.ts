// Text for SVG: made harmless, and measured without the fonts that it will be shown in, rather too wide than too narrow.
import { displayWidth, fit, printable } from '../decode/text-width.js'

/** What comes out of a file goes into markup by this alone: no tag, no entity, nothing that XML forbids. */
export const escapeXml = (text: string): string => printable(text)
  .replaceAll(/\p{Cs}|[\ufffe\uffff]/gu, '\ufffd')
  .replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

export type Face = 'sans' | 'bold' | 'mono'

/** Widths of DejaVu Sans, the widest of the usual fonts, in thousandths of the size. */
const NARROW = 400, DIGIT = 640, CAPITAL = 760, WIDEST = 1000, OTHER = 640, MONO = 605, BOLD = 1.1

/** Pixels, at most. */
export function textWidth(text: string, size: number, face: Face): number {
  const shown = printable(text)
  if (face === 'mono') return displayWidth(shown) * MONO * size / 1000
  let width = 0
  for (const character of shown) {
    width += /[ .,:;'|!()[\]ijltfrI]/.test(character) ? NARROW : /\d/.test(character) ? DIGIT : /[mwMW@%]/.test(character) ? WIDEST
      : /[A-Z]/.test(character) ? CAPITAL : displayWidth(character) === 2 ? 1300 : character > '\u2000' ? 900 : OTHER
  }
  return width * size / 1000 * (face === 'bold' ? BOLD : 1)
}

/** `text`, or its beginning and `…`, in at most `room` pixels. */
export function fitted(text: string, room: number, size: number, face: Face): string {
  if (textWidth(text, size, face) <= room) return text
  let columns = displayWidth(printable(text))
  while (columns > 1 && textWidth(fit(printable(text), columns), size, face) > room) columns--
  return fit(printable(text), columns)
}

/** Words on lines of `room` pixels; a word that is longer is cut. */
export function wrapped(text: string, room: number, size: number, face: Face): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1), longer = `${last} ${word}`
    if (last !== undefined && textWidth(longer, size, face) <= room) lines[lines.length - 1] = longer
    else lines.push(fitted(word, room, size, face))
  }
  return lines
}
