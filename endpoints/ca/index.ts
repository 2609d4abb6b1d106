// Certificates of Fig. 5 as a library.
export { AUTHORITY_LIFETIME, AUTHORITY_NAME, CERTIFICATE_LIFETIME, certifyKey, createAuthority, issueCertificate } from './authority.js'
export { authorityFlaw, certificateFlaw, describeCertificate, describeKey, fingerprintOf, hasFingerprint, namesOf, readCertificate } from './certificate.js'
export { generateKeys, privatePem } from './keys.js'
export { MAX_NAMES, namesFlaw } from './names.js'
export { Objection, createRequest, readRequest } from './request.js'
export type { Authority, ValidityOptions } from './authority.js'
export type { KeyPair } from './keys.js'
export type { CertificateRequest } from './request.js'
