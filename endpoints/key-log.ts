// A key log in the format of NSS (SSLKEYLOGFILE): with it, whoever has a capture of the connections can read them. Each line is on
// file before the packet that needs it is on the wire, since whoever reads along must not be late.
import { appendFileSync } from 'node:fs'
import type { OnKeys } from './channel/tls-channel.js'

/** Appends to a file, which is made with mode 600 if need be. @throws the system's error when it cannot be written, now or later */
export function keyLog(path: string): OnKeys {
  const append = (line: string): void => { appendFileSync(path, line, { mode: 0o600 }) }
  append('')
  return append
}
