// The library of x509.ts, behind what its own dependencies want first.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export { x509 }
