// The commands in docs/golden.md and docs/checks.md are real: each is there, with every option that the text gives it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { naptlab } from './naptlab.js'

const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8')

/** As in `golden check`, with the options that it is given: lines of code, and code within a sentence. */
function commandsOf(document: string): Map<string, Set<string>> {
  const commands = new Map<string, Set<string>>()
  for (const [, words] of document.matchAll(/(?:^|`|npx )naptlab ([^`\n#]+)/gm)) {
    const [line] = words.split(' -- ') // behind it is the program's own
    const [first, second] = line.trim().split(/\s+/)
    const name = first === 'golden' || first === 'nat' ? `${first} ${second}` : first
    const options = commands.get(name) ?? new Set()
    commands.set(name, options)
    for (const [option] of line.matchAll(/(?<= )--?[a-z-]+/g)) options.add(option)
  }
  return commands
}

t.test('every command of the walk is one', async t => {
  const commands = commandsOf(read('golden.md') + read('checks.md'))
  for (const name of ['up', 'record', 'exec', 'down', 'golden record', 'golden check', 'golden update', 'golden diff', 'golden lint', 'show', 'explain', 'translate', 'check', 'nat list']) t.ok(commands.has(name), name)
  for (const [name, options] of commands) {
    const help = await naptlab([...name.split(' '), '--help'])
    t.equal(help.code, 0, name)
    t.match(help.stdout, `naptlab ${name}`)
    for (const option of options) t.match(help.stdout, new RegExp(`(^|[ ,])${option}[ ,]`, 'm'), `${name} ${option}`)
  }
})
