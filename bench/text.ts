// Figures as people read them.
import type { Spread } from './statistics.js'

/** With a comma between thousands, as in 1,234.5. */
export const number = (value: number, digits: number): string => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** `318 (300–325)`; of a single round its value alone. */
export function withRange({ median, least, most }: Spread, digits: number): string {
  return least === most ? number(median, digits) : `${number(median, digits)} (${number(least, digits)}–${number(most, digits)})`
}

/** `1.30 ×` */
export const times = ({ median }: Pick<Spread, 'median'>): string => `${number(median, median < 9.995 ? 2 : 1)} ×`
