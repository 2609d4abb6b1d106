// A file that is read whole, such as a golden, a check or a key log: as far as its kind can be large, and no further, so that a device
// or a pipe that never ends is refused like any other file of the wrong kind.
import { closeSync, openSync, readSync } from 'node:fs'

/** Bytes read at once. */
const CHUNK = 1 << 16

/** @param most bytes. @throws RangeError when there are more; the system's error when it cannot be read */
export function readSmallFile(path: string, most: number): Buffer {
  const chunks: Buffer[] = [], file = openSync(path, 'r')
  try {
    for (let size = 0; ;) {
      const chunk = Buffer.allocUnsafe(CHUNK), read = readSync(file, chunk)
      if (read === 0) return Buffer.concat(chunks)
      size += read
      if (size > most) throw new RangeError(`it has more than ${most} bytes`)
      chunks.push(chunk.subarray(0, read))
    }
  } finally {
    closeSync(file)
  }
}
