// Why a machine refuses private namespaces, and the one line that changes it.
import { readFileSync } from 'node:fs'
import { BenchError } from './bench.js'

/** Something the machine lacks. The command line ends with exit code 2. */
export class PrerequisiteError extends BenchError {
  override readonly name = 'PrerequisiteError'
  /** @param remedy one line to paste into a shell */
  constructor(problem: string, readonly remedy: string) {
    super(`${problem}\n  ${remedy}`)
  }
}

/** @returns the text of a kernel setting; undefined when the kernel has none of this name */
export type SettingReader = (path: string) => string | undefined

export function readSetting(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** A setting that forbids user namespaces, the value with which it does, and what it means. */
const SETTINGS = [
  { key: 'user.max_user_namespaces', forbids: '0', allows: '15000', means: 'this machine allows no user namespaces' },
  { key: 'kernel.unprivileged_userns_clone', forbids: '0', allows: '1', means: 'this machine allows user namespaces to root only' },
  { key: 'kernel.apparmor_restrict_unprivileged_userns', forbids: '1', allows: '0', means: 'AppArmor keeps ordinary users out of user namespaces on this machine' },
] as const

/**
 * What to tell somebody for whom `unshare` failed.
 * @param said its standard error
 * @param isRoot root is not bound by the settings for ordinary users
 */
export function explainRefusal(said: string, isRoot: boolean, read: SettingReader): PrerequisiteError {
  const known = isRoot ? SETTINGS.slice(0, 1) : SETTINGS
  const culprit = known.find(({ key, forbids }) => read(`/proc/sys/${key.replace('.', '/')}`) === forbids)
  if (culprit) {
    return new PrerequisiteError(`a bench needs user namespaces, and ${culprit.means} (${culprit.key} = ${culprit.forbids}). To change it:`,
      `${isRoot ? '' : 'sudo '}sysctl -w ${culprit.key}=${culprit.allows}`)
  }
  return new PrerequisiteError(`a bench needs user, mount, network and PID namespaces, and the kernel refused them (${said.trim() || 'no reason given'}). ` +
    'No setting known to naptlab forbids it; in a container its runtime does. Docker allows it when started so:',
  'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined IMAGE')
}

export const unshareMissing = (command: string): PrerequisiteError =>
  new PrerequisiteError(`a bench needs the command ${command}, which is not installed. To add it:`, 'sudo apt-get install util-linux')
