// The folder that a run leaves its capture in, and the keys that open it: files of an earlier run are removed first, whatever else
// is there stays.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { KEY_LOG_FILE } from '../../captures/tls/key-log.js'
import { BenchError } from '../bench/bench.js'

/** @param name the run's. @returns its absolute path. @throws BenchError when the folder cannot be made or written */
export function prepareFolder(path: string, name: string): string {
  const folder = writableFolder(path), capture = captureOf(folder, name)
  for (const file of [join(folder, KEY_LOG_FILE), capture, `${capture}.part`]) rmSync(file, { force: true })
  discardParts(folder)
  makeFolder(partsFolder(folder))
  return folder
}

/** A run's capture file, called as the run is: `out/fig2/fig2.pcapng`. */
export const captureOf = (folder: string, name: string): string => join(folder, `${name}.pcapng`)

/** Where the recorders of a run write, each a file of its own; what a killed run leaves is there. */
export const partsFolder = (folder: string): string => join(folder, 'parts')

/** What the recorders have finished. */
export const partsIn = (folder: string): string[] =>
  readdirSync(partsFolder(folder)).filter(file => file.endsWith('.pcapng')).sort().map(file => join(partsFolder(folder), file))

/** Removes what the recorders wrote, and nothing else that may be there. */
export function discardParts(folder: string): void {
  const parts = partsFolder(folder)
  if (!existsSync(parts)) return
  for (const file of readdirSync(parts)) if (/\.pcapng(\.part)?$/.test(file)) rmSync(join(parts, file))
  if (readdirSync(parts).length === 0) rmdirSync(parts)
}

/** @returns its absolute path. @throws BenchError when the folder cannot be made or written */
export function writableFolder(path: string): string {
  const folder = resolve(path)
  try {
    makeFolder(folder)
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw new BenchError(`the output folder ${path} cannot be written (${error instanceof Error ? error.message : String(error)}). Choose another with --out.`)
  }
  return folder
}

/** Step by step: Node's own `recursive` never returns where the kernel refuses in some ways, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder)
}
