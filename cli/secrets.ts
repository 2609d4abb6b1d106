// Passwords that people type: without an echo on a terminal, or as one line of standard input; never on the command line, which
// every user of the machine can read.
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { UsageError } from './errors.js'

interface Input extends NodeJS.ReadableStream {
  readonly isTTY?: boolean
  setRawMode?(isRaw: boolean): unknown
}

const ENTER = ['\r', '\n'], END = '\u0004', INTERRUPT = '\u0003', ERASE = ['\u007f', '\b']

/** On a terminal it is asked for twice. @throws UsageError when the two differ, or there is none */
export async function newPassword(input: Input = process.stdin, output: NodeJS.WritableStream = process.stderr): Promise<string> {
  if (input.isTTY !== true) return checked(await firstLine(input))
  const password = checked(await typed('Password: ', input, output))
  if (await typed('Again: ', input, output) !== password) throw new UsageError('the two passwords differ; nothing was changed')
  return password
}

function checked(password: string): string {
  if (password === '') throw new UsageError('a password is needed: type it, or give it as one line on standard input')
  return password
}

async function firstLine(input: Input): Promise<string> {
  const lines = createInterface({ input })
  const [text] = await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [''])]) as [string]
  lines.close()
  return text
}

/** What is typed up to Enter. The terminal shows none of it. */
function typed(prompt: string, input: Input, output: NodeJS.WritableStream): Promise<string> {
  output.write(prompt)
  input.setRawMode?.(true)
  input.resume()
  return new Promise((resolve, reject) => {
    let text = ''
    const finish = (settle: () => void): void => {
      input.off('data', take)
      input.setRawMode?.(false)
      input.pause()
      output.write('\n')
      settle()
    }
    const take = (chunk: Buffer | string): void => {
      for (const character of String(chunk)) {
        if (ENTER.includes(character) || character === END) {
          finish(() => resolve(text))
          return
        }
        if (character === INTERRUPT) {
          finish(() => reject(new UsageError('interrupted; nothing was changed')))
          return
        }
        text = ERASE.includes(character) ? Array.from(text).slice(0, -1).join('') : text + character
      }
    }
    input.on('data', take)
  })
}
