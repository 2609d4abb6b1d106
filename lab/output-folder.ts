// The folder that a run leaves its captures in, and the keys that open them: files of an earlier run are removed first, whatever
// else is there stays.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { KEY_LOG_FILE } from '../captures/index.js'
import { BenchError, type BenchDescription } from './bench.js'

/** @returns its absolute path. @throws BenchError when the folder cannot be made or written */
export function prepareFolder(path: string, description: BenchDescription): string {
  const folder = writableFolder(path)
  rmSync(join(folder, KEY_LOG_FILE), { force: true })
  for (const file of readdirSync(folder)) if (/\.pcap(\.part)?$/.test(file) && isOurs(file.replace(/\.part$/, ''), description)) rmSync(join(folder, file))
  return folder
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

/** Removes what a run that was cut off had not finished. */
export function discardPartial(folder: string): void {
  for (const file of readdirSync(folder)) if (file.endsWith('.pcap.part')) rmSync(join(folder, file), { force: true })
}

/** The capture files of this bench's interfaces, by path. */
export const capturesIn = (folder: string, description: BenchDescription): string[] =>
  readdirSync(folder).filter(file => isOurs(file, description)).sort().map(file => join(folder, file))

/** The interface that a capture file is of: `104a-lan`, `101`. */
export const interfaceOf = (file: string): string => basename(file, '.pcap')

function isOurs(file: string, { hosts, routers = {} }: BenchDescription): boolean {
  const names = [...Object.keys(hosts), ...Object.keys(routers).flatMap(router => [`${router}-lan`, `${router}-wan`])]
  return file.endsWith('.pcap') && names.includes(interfaceOf(file))
}

/** Step by step: Node's own `recursive` never returns where the kernel refuses in some ways, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder)
}
