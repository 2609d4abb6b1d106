// What `issue` and `accept` do on a direct connection: send the lines and files of the command line, and what is typed.
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { EndpointError } from '../endpoints/index.js'
import { EncodeError } from '../endpoints/message/index.js'
import { UsageError } from './errors.js'
import { printFailure } from './output.js'
import type { Apparatus, OnEvent, ReceiveOptions, Session } from '../endpoints/index.js'

export interface Script { readonly lines: readonly string[], readonly files: readonly string[] }

/** Sends lines and then files. False when one could not be sent; the error has been printed. */
export async function sendAll(session: Session, { lines, files }: Script, apparatus: Apparatus, print: OnEvent): Promise<boolean> {
  for (const line of lines) if (!await succeeds(session.sendLine(line), apparatus, print)) return false
  for (const file of files) if (!await succeeds(session.sendFile(file), apparatus, print)) return false
  return true
}

/** True unless the promise fails, in which case the error is printed and the exit code set. */
export async function succeeds(sending: Promise<unknown>, apparatus: Apparatus, print: OnEvent): Promise<boolean> {
  try {
    await sending
    return true
  } catch (error) {
    printFailure(print, apparatus, error instanceof EncodeError ? new EndpointError('send-failed', error.message, '') : error)
    return false
  }
}

/**
 * Reads lines from standard input until it ends or `signal` fires, and gives each to `send`, one after another.
 * Resolves at the end of the input.
 */
export async function readLines(signal: AbortSignal, send: (line: string) => Promise<unknown>): Promise<void> {
  if (signal.aborted) return
  const input = createInterface({ input: process.stdin })
  const stop = () => {
    input.close()
    process.stdin.destroy() // or it would keep the process alive
  }
  signal.addEventListener('abort', stop)
  try {
    for await (const line of input) await send(line)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Makes the folder for files that come in, so that a wrong one is told before anybody connects. @throws UsageError */
export function receiveInto(directory: string | undefined): ReceiveOptions | undefined {
  if (directory === undefined) return undefined
  try {
    mkdirSync(directory, { recursive: true })
    return { directory }
  } catch (error) {
    throw new UsageError(`files cannot be received into ${directory}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
