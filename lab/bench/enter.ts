// Runs programs inside a bench from outside, through nsenter, as the user who opened it.
//
// nsenter opens all the namespace files first, then enters them and, because of the PID namespace, forks: the program is its
// child. Three things follow. Signals go to the child. nsenter's death by SIGKILL would leave the child behind, so each is
// told to die with its parent (setpriv --pdeathsig). At a terminal nsenter must not die of Ctrl-C before the program, which
// may live on with it (a shell does), so nsenter ignores it and the program does not (env --ignore-signal).
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { childrenOf, signalProcess } from './process.js'
import { NAMESPACE_FOLDER } from './namespaces.js'

export interface ProgramOptions {
  /** The caller's unless given. */
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** A place inside a bench: its keeper's id on the machine, and the name of a host, router or switch. */
export interface Place { readonly keeper: number, readonly namespace: string }

export const namespacePath = ({ keeper, namespace }: Place): string => `/proc/${keeper}/root${NAMESPACE_FOLDER}/${namespace}`

const DIE_WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL'] as const

function enterCommand(place: Place, inner: readonly string[]): string[] {
  const user = ['-U', '--preserve-credentials']
  return [
    ...DIE_WITH_PARENT, 'nsenter', '-t', String(place.keeper), ...user, '-m', '-p', `--net=${namespacePath(place)}`, '--',
    ...DIE_WITH_PARENT, ...inner,
  ]
}

/** A program with pipes, in a session of its own. Its `kill` reaches the program itself; its exit is the program's. */
export function spawnInside(place: Place, command: string, args: readonly string[], options: ProgramOptions = {}): ChildProcessWithoutNullStreams {
  const { cwd = process.cwd(), env = process.env } = options
  const [file, ...rest] = enterCommand(place, ['env', `--chdir=${cwd}`, command, ...args])
  const child = spawn(file, rest, { env, detached: true })
  child.kill = signal => signalInside(child, signal ?? 'SIGTERM')
  return child
}

/**
 * A program on this process's own terminal or streams, for as long as it lasts.
 * @returns its exit code, or 128 and the number of the signal it died of, as a shell has it
 */
export async function runInside(place: Place, command: string, args: readonly string[]): Promise<number> {
  const [file, ...rest] = ['env', '--ignore-signal=INT,QUIT',
    ...enterCommand(place, ['env', '--default-signal=INT,QUIT', `--chdir=${process.cwd()}`, command, ...args])]
  const child = spawn(file, rest, { stdio: 'inherit' })
  let fromTerminal: 'SIGINT' | 'SIGQUIT' | undefined
  const note = (signal: 'SIGINT' | 'SIGQUIT'): void => void (fromTerminal = signal) // the terminal has sent it to the program as well
  const pass = (signal: 'SIGTERM' | 'SIGHUP'): void => void signalInside(child, signal)
  process.on('SIGINT', note).on('SIGQUIT', note).on('SIGTERM', pass).on('SIGHUP', pass)
  try {
    const [code, signal] = await once(child, 'exit') as [number | null, NodeJS.Signals | null]
    if (signal) return 128 + constants.signals[signal]
    // nsenter, which ignores it, cannot die of the signal that its child died of, and says 1.
    return code === 1 && fromTerminal ? 128 + constants.signals[fromTerminal] : code ?? 1
  } finally {
    process.off('SIGINT', note).off('SIGQUIT', note).off('SIGTERM', pass).off('SIGHUP', pass)
  }
}

/** Before nsenter has forked there is no program yet; then nsenter itself is ended. */
function signalInside(child: ChildProcess, signal: NodeJS.Signals | number): boolean {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false
  return signalProcess(childrenOf(child.pid).at(0) ?? child.pid, signal)
}
