// Of ASN.1's universal types, those that certificates, requests and keys consist of, with their tags in DER (ITU-T X.690, 8.1.2).
export const TAG = {
  boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, null: 0x05, objectIdentifier: 0x06, utf8String: 0x0c,
  utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, set: 0x31,
} as const

/** Of a field that its place in the structure names; `constructed` for one that holds others. */
export const contextTag = (number: number, form: 'primitive' | 'constructed'): number => (form === 'constructed' ? 0xa0 : 0x80) + number
