// What a certificate speaks for: IPv4 addresses, as the server's in Fig. 1, and DNS names. Where both are meant they are texts; an
// address is told by its form.
import { isIPv4 } from 'node:net'
import { contextTag } from '../der/tags.js'
import { objectIdentifier, sequence, set, utf8String, value } from '../der/writer.js'

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

/** Kinds of names in subjectAltName (RFC 5280, 4.2.1.6). */
const EMAIL = contextTag(1, 'primitive'), DNS = contextTag(2, 'primitive'), URI = contextTag(6, 'primitive'), IP = contextTag(7, 'primitive')

/** As subjectAltName has it. */
export const generalName = (name: string): Buffer => isIPv4(name) ? value(IP, Buffer.from(name.split('.').map(Number))) : value(DNS, Buffer.from(name, 'latin1'))

/** The name in a value of subjectAltName, DNS names in lower case; what is of another kind has a colon in it, and so a flaw. */
export function nameOf(tag: number, content: Uint8Array): string {
  const bytes = Buffer.from(content), text = bytes.toString('latin1')
  if (tag === DNS) return text.toLowerCase()
  if (tag === IP) return content.length === 4 ? content.join('.') : `address:${bytes.toString('hex')}`
  return `${tag === EMAIL ? 'email' : tag === URI ? 'URI' : 'name'}:${text}`
}

/** A distinguished name that is a common name alone (RFC 5280, 4.1.2.4). */
export const distinguishedName = (commonName: string): Buffer => sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String(commonName))))

/** X.520 gives a common name 64 characters; nobody looks for a server's name there any more. */
export const commonName = (names: readonly string[]): string => names.find(name => name.length <= 64) ?? 'server'

const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 64)
