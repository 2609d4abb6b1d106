// What some tests need and a machine may lack. Each is an option for `t.test`: such a test is then skipped in the open.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { hasCap } from '../napt/device/libpcap.js'

export interface Prerequisite { readonly skip: string | false }

const succeeds = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0

function hasPackage(name: string): boolean {
  try {
    createRequire(import.meta.url)(name)
    return true
  } catch {
    return false
  }
}

export const needsNamespaces: Prerequisite = { skip: succeeds('unshare', '-Urnm', 'true') ? false : 'this machine allows no user namespaces' }
export const needsCap: Prerequisite = { skip: needsNamespaces.skip !== false ? needsNamespaces.skip : hasCap() ? false : 'the package cap is not installed (it needs libpcap-dev)' }
export const needsRawSocket: Prerequisite = { skip: needsNamespaces.skip !== false ? needsNamespaces.skip : hasPackage('raw-socket') ? false : 'the package raw-socket is not installed (it is compiled, and that failed here)' }
export const needsTshark: Prerequisite = { skip: succeeds('tshark', '--version') ? false : 'tshark is not installed' }
