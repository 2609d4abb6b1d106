// What the runs of the relayed connection (fig13.ts) and of the hybrid system (hybrid.ts) have in common.
import { mkdirSync, writeFileSync } from 'node:fs'
import type { ConnectionName } from '../../captures/decode/connection-names.js'
import type { Apparatus } from '../programs/apparatus.js'
import { fileContent } from './file-content.js'
import { RUN_FOLDER } from '../bench/protocol.js'
import type { Stage } from './scenario.js'

export const SERVER = '130.74.23.6'

/** How TCP's own packets are called: 33 goes to the port for issuers, 37 to the one for acceptors. */
export const RELAY_CONNECTIONS: readonly ConnectionName[] = [
  { called: `${SERVER}:1201`, start: '33', step: '' },
  { called: `${SERVER}:1300`, start: '37', step: '' },
]

export interface Transfer { readonly from: string, readonly to: string, readonly bytes: number, readonly sha256: string }

/** Starts the relay server and waits until it listens. */
export async function startRelay(server: Apparatus): Promise<void> {
  server.begin({ role: 'relay-server' })
  for (const purpose of ['registrations', 'first connections', 'second connections']) await server.event('listening', event => event.purpose === purpose)
}

/** Makes a file for a host to send. @returns its path on the bench's hosts */
export function fileFrom(stage: Stage, host: string, size: number): string {
  const path = `${RUN_FOLDER}/from-${host}.bin`
  writeFileSync(stage.outside(path), fileContent(size, Number(host)))
  return path
}

/** Makes the folder that a host receives into. @returns its path on the bench's hosts */
export function folderOf(stage: Stage, host: string): string {
  const path = `${RUN_FOLDER}/received-by-${host}`
  mkdirSync(stage.outside(path), { recursive: true })
  return path
}

/** A file that one program has sent and the other received; null, and a failure of the run, when they differ. */
export async function transferOf(stage: Stage, from: Apparatus, to: Apparatus): Promise<Transfer | null> {
  const name = `from-${from.name}.bin`
  const sent = await from.event('file-sent', event => event.name === name), received = await to.event('file-received', event => event.name === name)
  if (sent.sha256 === received.sha256 && sent.bytes === received.bytes) return { from: from.name, to: to.name, bytes: received.bytes, sha256: received.sha256 }
  stage.fail(`${to.name} got another file than ${from.name} sent (SHA-256 ${received.sha256}, not ${sent.sha256})`)
  return null
}
