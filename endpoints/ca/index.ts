// Certificates of Fig. 5 as a library.
export { AUTHORITY_LIFETIME, AUTHORITY_NAME, CERTIFICATE_LIFETIME, certifyKey, createAuthority, issueCertificate } from './authority.js'
export { authorityFlaw, describeCertificate, describeKey, fingerprintOf, hasFingerprint, issuedFlaw, namesOf, readCertificate } from './certificate.js'
export { enrol, fetchAuthority } from './client.js'
export {
  claimAuthorityFolder, claimServerFolder, openAuthority, readCertificateOrRequest, refuseExisting, saveAuthority, saveEnrolment, saveNew, saveRequest,
} from './files.js'
export { generateKeys, privatePem } from './keys.js'
export { MAX_NAMES, namesFlaw } from './names.js'
export { parseAllowance } from './policy.js'
export { checkSecret } from './proof.js'
export { Objection, createRequest, describeObjection, readRequest } from './request.js'
export { startAuthorityServer } from './server.js'
export type { Authority, ValidityOptions } from './authority.js'
export type { AuthorityClientOptions, EnrolOptions, Enrolment } from './client.js'
export type { KeyPair } from './keys.js'
export type { Allowance } from './policy.js'
export type { CertificateRequest } from './request.js'
export type { AuthorityServer, AuthorityServerOptions } from './server.js'
