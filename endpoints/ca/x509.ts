// The library that makes certificates, loaded where the first one is made: that takes longer than all else that a process of a
// bench loads, and reading and checking certificates (certificate.ts) needs none of it.

export const loadX509 = async (): Promise<typeof import('@peculiar/x509')> => (await import('./x509-library.js')).x509
