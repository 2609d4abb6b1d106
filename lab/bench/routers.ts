// The routers of a bench as the keeper's children: each in its namespace, started, awaited, watched and ended.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { inNamespace, type Namespace } from './namespaces.js'
import { configPath, logPath, readLine, type RouterConfig, type RouterReport } from './protocol.js'

const READY_TIMEOUT_MS = 30_000
const LOG_LINES_SHOWN = 10

export interface RouterProcess {
  readonly name: string
  readonly pid: number
  /** Resolves when it forwards. @throws Error that quotes the end of its log */
  readonly ready: Promise<void>
  /** Resolves with how it ended: `exit code 1`, `SIGKILL`. */
  readonly ended: Promise<string>
  end(): void
}

/** @param script run with the path of the router's configuration as its only argument */
export function startRouter(namespace: Namespace, script: string, config: RouterConfig): RouterProcess {
  const { name } = config
  writeFileSync(configPath(name), JSON.stringify(config, null, 2))
  const log = openSync(logPath(name), 'a')
  const child = inNamespace(namespace, () => spawn(process.execPath, [script, configPath(name)], { stdio: ['ignore', 'pipe', log] }))
  closeSync(log)
  const ended = endOf(child)
  const failure = (what: string): Error => new Error(`router ${name} ${what}${lastLines(logPath(name))}`)
  return {
    name,
    pid: child.pid ?? 0,
    ready: Promise.race([
      readyLine(child, failure),
      ended.then(ending => Promise.reject(failure(`ended before it was ready (${ending})`))),
    ]),
    ended,
    end: () => void child.kill('SIGTERM'),
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, 'exit') as [number | null, string | null]
    return signal ?? `exit code ${code ?? 0}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error) // it could not be started
  }
}

/** Reads standard output for as long as it lasts, so that the router never waits for its reader. */
function readyLine(child: ChildProcess, failure: (what: string) => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!child.stdout) return
    const timer = setTimeout(() => reject(failure(`was not ready within ${READY_TIMEOUT_MS / 1000} s`)), READY_TIMEOUT_MS)
    createInterface(child.stdout).on('line', line => {
      const report = readLine<RouterReport>(line)
      if (report.event === 'ready') resolve()
      else if (report.event === 'failed') reject(failure(`says: ${report.message ?? 'failed'}`))
      else return
      clearTimeout(timer)
    }).on('close', () => clearTimeout(timer))
  })
}

function lastLines(path: string): string {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN)
  return lines.join('') === '' ? '' : `\n${lines.map(line => `  ${line}`).join('\n')}`
}
