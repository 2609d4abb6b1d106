// A file that is there whole or not at all: written under a temporary name beside it, then renamed.
import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** @throws the system's error when the folder cannot be written; nothing is left behind then */
export function writeWhole(path: string, bytes: Uint8Array | string): void {
  const temporary = `${path}.part`
  try {
    writeFileSync(temporary, bytes)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
