// What figures have to be read with: the machine, how busy it was, and the versions of the programs.
import { spawnSync } from 'node:child_process'
import { cpus, loadavg, release } from 'node:os'

export interface Machine { readonly cpu: string, readonly cores: number, readonly kernel: string, readonly node: string, readonly loadBefore: number, readonly loadAfter: number }

/** Once everything is measured. @param loadBefore the load of the last minute when it began */
export const machineAfter = (loadBefore: number): Machine =>
  ({ cpu: cpus()[0].model, cores: cpus().length, kernel: release(), node: process.version, loadBefore, loadAfter: load() })

/** Of the last minute. */
export const load = (): number => loadavg()[0]

export const versionOf = (program: string, ...words: string[]): string => {
  const { stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' })
  return (stdout + stderr).split('\n').find(line => /\d+\.\d+/.test(line))?.trim() ?? 'not installed'
}
