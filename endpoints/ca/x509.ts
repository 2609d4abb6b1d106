// The library that makes certificates, loaded where the first one is made: that takes longer than all else that a process of a
// bench loads, and reading and checking certificates (certificate.ts) needs none of it. `require` takes 0.13 s of processor time
// for it and `import` 0.28 s (Node 20), since it is CommonJS throughout.
import { createRequire } from 'node:module'

type X509 = typeof import('@peculiar/x509')

export function loadX509(): X509 {
  const require = createRequire(import.meta.url)
  require('reflect-metadata') // the library's own dependencies want it first
  return require('@peculiar/x509') as X509
}
