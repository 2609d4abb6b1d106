// A question that only a person answers: on a terminal, never in CI.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { UsageError } from './errors.js'

/**
 * @param what would be done, as in `a golden is updated`
 * @throws UsageError where nobody can be asked and nobody said yes beforehand, and in CI in any case
 */
export function mustBeAsked(what: string, saidYes: boolean, environment: NodeJS.ProcessEnv, isTerminal: boolean): void {
  if (!['', '0', 'false', undefined].includes(environment.CI)) throw new UsageError(`${what} by a person, not in CI (the variable CI is set): a change that nobody looked at would pass from then on`)
  if (!saidYes && !isTerminal) throw new UsageError(`${what} only when somebody says so: on a terminal, or with --yes`)
}

/** @returns whether y or yes was typed; the end of the input is a no */
export async function confirm(question: string, input: NodeJS.ReadableStream = process.stdin, output: NodeJS.WritableStream = process.stderr): Promise<boolean> {
  output.write(`${question} (y/N) `)
  const lines = createInterface({ input })
  const [text] = await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [''])]) as [string]
  lines.close()
  return /^y(es)?$/i.test(text.trim())
}
