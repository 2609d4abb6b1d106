// Which key log opens the TLS connections of a capture file, beside the keys that the file itself brings.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { KEY_LOG_FILE, readKeyLog, type KeyLog } from '../captures/tls/key-log.js'

/** The one that was given, or the one that lies beside the file. @throws KeyLogError when it is none */
export function keyLogFor(file: string, given: string | undefined): KeyLog | null {
  const beside = join(dirname(file), KEY_LOG_FILE)
  return given !== undefined ? readKeyLog(given) : file !== '-' && existsSync(beside) ? readKeyLog(beside) : null
}
