// docs/protocol.md says what the code does: its tables are compared with the code's.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { AUTHORITY_PORT, ENTRY_LIFETIME, HOLD_INTERVAL, HOLD_LIFETIME, LOGIN_RELAY_PORT, REGISTRATION_INTERVAL, TIMEOUTS } from '../../endpoints/index.js'
import { DEFINITIONS, EXTRA_COUNT, EXTRA_ROOM, FIELDS, MESSAGES, REASONS, VERSION } from '../../endpoints/message/index.js'
import { AUTHORITY_LIFETIME, CERTIFICATE_LIFETIME, MAX_NAMES } from '../../endpoints/ca/index.js'
import { MIN_SECRET } from '../../endpoints/ca/proof.js'
import { HASH_PARAMETERS } from '../../endpoints/login-relay/passwords.js'
import { LOGIN_RELAY_STEPS } from '../../endpoints/login-relay/steps.js'

/** The cells of each row of the table whose head begins with `head`. */
async function table(head: string, file = 'docs/protocol.md'): Promise<string[][]> {
  const lines = (await readFile(file, 'utf8')).split('\n')
  const from = lines.findIndex(line => line.startsWith(head))
  const rest = lines.slice(from + 2)
  return rest.slice(0, rest.findIndex(line => !line.startsWith('|'))).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
}

t.test('messages', async t => {
  const rows = DEFINITIONS.map(({ type, document, title, over, fields }) =>
    [String(type), document ?? '–', title, over, fields.map(({ key, optional }) => FIELDS[key].title + (optional ? '?' : '')).join(', ')])
  t.same(await table('| type |'), rows)
})

t.test('fields', async t => {
  const rows = Object.values(FIELDS).map(({ id, title, min, max }) => [String(id), title, min === max ? String(min) : `${min}–${max}`])
  t.same((await table('| id |')).map(row => row.slice(0, 3)), rows)
})

t.test('reasons', async t => {
  const rows = Object.entries(REASONS).map(([name, { code, sentence, advice }]) => [String(code), `\`${name}\``, sentence, advice])
  t.same(await table('| code |'), rows)
})

t.test('processes of the log-in relay', async t => {
  const rows = LOGIN_RELAY_STEPS.map(({ number, from, to, connection, message, title }) =>
    [number, `${from} → ${to}`, String(connection), title, message === null ? '–' : MESSAGES[message].title])
  t.same(await table('| process |', 'docs/login-relay.md'), rows)
  const numbers = rows.map(([number]) => number)
  const primed = [1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 21].map(number => `(${number}')`)
  t.same(new Set(numbers), new Set([...Array.from({ length: 24 }, (_, at) => `(${at + 1})`), ...primed]), 'all of (1) to (24), and the primed ones')
  for (const { message } of LOGIN_RELAY_STEPS) {
    const number = message === null ? null : MESSAGES[message].document
    t.ok(message === null || numbers.includes(number ?? ''), message ?? '')
  }
  const text = await readFile('docs/login-relay.md', 'utf8')
  t.match(text, `each ${HOLD_INTERVAL / 1000} s`)
  t.match(text, `comes for ${HOLD_LIFETIME / 1000} s`)
  t.match(text, `one port (${LOGIN_RELAY_PORT})`)
  t.match(text, `N ${HASH_PARAMETERS.cost}, r ${HASH_PARAMETERS.block}, p ${HASH_PARAMETERS.parallel}`)
})

t.test('time-outs and limits', async t => {
  const rows = Object.entries(TIMEOUTS).map(([name, ms]) => [name, String(ms)])
  t.same((await table('| name |')).map(([name, , ms]) => [name, ms]), rows)
  const text = await readFile('docs/protocol.md', 'utf8')
  t.match(text, `The version is ${VERSION}.`)
  t.match(text, `up to ${EXTRA_COUNT}\n  fields (${EXTRA_ROOM} bytes together)`)
  t.match(text, `after ${ENTRY_LIFETIME / 1000} s without a registration: three intervals of 103's ${REGISTRATION_INTERVAL / 1000} s`)
})

t.test('certificates', async t => {
  const text = await readFile('docs/certificates.md', 'utf8')
  t.match(text, `TCP port ${AUTHORITY_PORT}`)
  t.match(text, `at least ${MIN_SECRET} bytes`)
  t.equal(MAX_NAMES, 16)
  t.match(text, 'One to sixteen names')
  t.match(text, `At most ${FIELDS.certificateRequest.max / 1024} KiB of`)
  t.same([AUTHORITY_LIFETIME, CERTIFICATE_LIFETIME].map(lifetime => lifetime / 86_400_000), [3650, 365])
  t.match(text, /Valid for a year[^]*valid for ten years/)
})
