// What the tests of the bench share.
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LiveBench } from '../../lab/index.js'
import { ownProcesses } from '../../lab/bench/process.js'

export const script = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url))
export const STAND_IN = script('stand-in-router')

export interface Outcome { readonly code: number | null, readonly signal: string | null, readonly stdout: string, readonly stderr: string }

/** Runs a program on a host to its end. */
export async function run(bench: LiveBench, host: string, command: string, ...args: string[]): Promise<Outcome> {
  const child = bench.spawn(host, command, args)
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (chunk: string) => (text[stream] += chunk))
  const [code, signal] = await once(child, 'close') as [number | null, string | null]
  return { code, signal, ...text }
}

/** Runs one of these scripts on a host and reads what it prints. */
export async function ask<T>(bench: LiveBench, host: string, name: string, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(bench, host, process.execPath, script(name), ...args)
  if (code !== 0) throw new Error(`${name} on ${host} ended with ${code ?? 'a signal'}: ${stderr}`)
  return JSON.parse(stdout) as T
}

const KINDS = ['user', 'mnt', 'net', 'pid'] as const

/** The namespaces that a bench is made of, by the names that /proc gives them. */
export function namespacesOf(keeper: number): ReadonlySet<string> {
  const own = KINDS.map(kind => readlinkSync(`/proc/${keeper}/ns/${kind}`))
  const folder = `/proc/${keeper}/root/run/netns`
  const network = readdirSync(folder).map(name => `net:[${statSync(`${folder}/${name}`).ino}]`)
  return new Set([...own, ...network])
}

/** The process that started the keeper (unshare), which ends right after it. */
export function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** What is left of a bench: processes in its namespaces, mounts of them, and nsenters on their way into it. */
export function remains(keeper: number, namespaces: ReadonlySet<string>): string[] {
  return ownProcesses().filter(({ args }) => args[0] !== '').flatMap(({ pid, args }) => { // without a command line: a zombie, which is only a number
    const inside = KINDS.some(kind => namespaces.has(linkOrEmpty(`/proc/${pid}/ns/${kind}`)))
    const mounts = textOrEmpty(`/proc/${pid}/mountinfo`).split('\n').filter(line => [...namespaces].some(name => line.includes(name)))
    const entering = args.includes('nsenter') && args.includes(String(keeper))
    return inside || mounts.length > 0 || entering ? [`${pid} ${args.join(' ')}`] : []
  })
}

/** The machine's own named namespaces, which no bench may touch. */
export function machineNamespaces(): readonly string[] | null {
  try {
    return readdirSync('/run/netns')
  } catch {
    return null
  }
}

function linkOrEmpty(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function textOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
