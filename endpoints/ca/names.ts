// What a certificate speaks for: IPv4 addresses, as the server's in Fig. 1, and DNS names. Where both are meant they are texts; an
// address is told by its form.
import { isIPv4 } from 'node:net'

/** In one certificate. */
export const MAX_NAMES = 16
/** RFC 1035, 2.3.4. */
const MAX_DNS = 253
/** A label of letters, digits and hyphens (RFC 1123, 2.1). No wildcards: a server has few names, and says which. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** What is wrong with a name, or null. DNS names are in lower case here; their case means nothing (RFC 4343). */
export function nameFlaw(name: string): string | null {
  if (isIPv4(name)) return null
  const labels = name.split('.')
  const isDns = name.length <= MAX_DNS && labels.every(label => LABEL.test(label)) && !/^\d+$/.test(labels[labels.length - 1])
  return isDns ? null : `'${printable(name)}' is neither an IPv4 address nor a DNS name`
}

/** What is wrong with the names of one certificate, or null. */
export function namesFlaw(names: readonly string[]): string | null {
  if (names.length === 0) return 'it names no server'
  if (names.length > MAX_NAMES) return `it has ${names.length} names; at most ${MAX_NAMES} are allowed`
  return names.map(nameFlaw).find(flaw => flaw !== null) ?? null
}

/** As the subjectAltName extension (RFC 5280, 4.2.1.6) has it. */
export const generalName = (name: string): { type: 'ip' | 'dns', value: string } => ({ type: isIPv4(name) ? 'ip' : 'dns', value: name })

/** X.520 gives a common name 64 characters; nobody looks for a server's name there any more. */
export const commonName = (names: readonly string[]): string => names.find(name => name.length <= 64) ?? 'server'

const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 64)
