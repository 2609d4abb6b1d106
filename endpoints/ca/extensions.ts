// Extensions of certificates and requests (RFC 5280, 4.2), as they are written and found.
import { createHash } from 'node:crypto'
import { DerReader, objectIdentifier as readObjectIdentifier, wholeBytes } from '../der/reader.js'
import { contextTag, TAG } from '../der/tags.js'
import { integer, namedBits, objectIdentifier, octetString, sequence, value, yes } from '../der/writer.js'
import { generalName, nameOf } from './names.js'

const ID = {
  subjectKeyIdentifier: '2.5.29.14', keyUsage: '2.5.29.15', subjectAltName: '2.5.29.17', basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35', extKeyUsage: '2.5.29.37', serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

/** The numbers of its bits (4.2.1.3). */
const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5, cRLSign: 6 } as const
export type KeyUsage = keyof typeof KEY_USAGE

const extension = (id: string, content: Uint8Array): Buffer => sequence(objectIdentifier(id), octetString(content))
const critical = (id: string, content: Uint8Array): Buffer => sequence(objectIdentifier(id), yes(), octetString(content))

/** Of a CA that certifies servers, and no other CA. */
export const authorityConstraints = (): Buffer => critical(ID.basicConstraints, sequence(yes(), integer(Buffer.of(0))))
export const serverConstraints = (): Buffer => critical(ID.basicConstraints, sequence())
export const keyUsage = (...usages: readonly KeyUsage[]): Buffer => critical(ID.keyUsage, namedBits(...usages.map(usage => KEY_USAGE[usage])))
export const serverAuthentication = (): Buffer => extension(ID.extKeyUsage, sequence(objectIdentifier(ID.serverAuth)))
export const alternativeNames = (names: readonly string[]): Buffer => extension(ID.subjectAltName, sequence(...names.map(generalName)))
export const subjectKeyIdentifier = (identifier: Uint8Array): Buffer => extension(ID.subjectKeyIdentifier, octetString(identifier))
export const authorityKeyIdentifier = (identifier: Uint8Array): Buffer => extension(ID.authorityKeyIdentifier, sequence(value(contextTag(0, 'primitive'), identifier)))

/** 4.2.1.2, (1): SHA-1 of the key itself. @param spki SubjectPublicKeyInfo, DER */
export function keyIdentifier(spki: Uint8Array): Buffer {
  const info = new DerReader(spki).enter(TAG.sequence)
  info.take(TAG.sequence) // the algorithm
  return createHash('sha1').update(wholeBytes(info.take(TAG.bitString))).digest()
}

/** The identifier that a certificate gives its own key; null when it gives none. @param extensions their sequence. @throws DerError */
export function ownKeyIdentifier(extensions: DerReader): Uint8Array | null {
  const content = contentsOf(extensions, ID.subjectKeyIdentifier).at(0)
  return content === undefined ? null : new DerReader(content).take(TAG.octetString)
}

/** The names in subjectAltName; those of kinds that nothing here uses in a form that is no name. @throws DerError */
export function alternativeNamesIn(extensions: DerReader): string[] {
  return contentsOf(extensions, ID.subjectAltName).flatMap(content => {
    const names: string[] = [], each = new DerReader(content).enter(TAG.sequence)
    for (let tag = each.tag; tag !== null; tag = each.tag) names.push(nameOf(tag, each.take(tag)))
    return names
  })
}

function contentsOf(extensions: DerReader, wanted: string): Uint8Array[] {
  const contents: Uint8Array[] = []
  while (extensions.tag !== null) {
    const each = extensions.enter(TAG.sequence), id = readObjectIdentifier(each.take(TAG.objectIdentifier))
    if (each.tag === TAG.boolean) each.take(TAG.boolean)
    const content = each.take(TAG.octetString)
    each.end()
    if (id === wanted) contents.push(content)
  }
  return contents
}
