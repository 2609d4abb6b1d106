// The library that makes certificates, loaded where the first one is made: that takes longer than all else that a process of a
// bench loads, and reading and checking certificates (certificate.ts) needs none of it.
type X509 = typeof import('@peculiar/x509')

export async function loadX509(): Promise<X509> {
  await import('reflect-metadata') // the library's own dependencies want it first
  return await import('@peculiar/x509')
}
