// Every requirement of RFC 4787, 5382, 5508, 7857 and 6888, case by case; and docs/conformance.md is what they give.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { writeDocument } from './document.js'
import { runAll } from './results.js'
import { RFCS } from './rfcs.js'

const results = runAll()

for (const { rfc, requirement: { clause }, cases } of results) {
  for (const { name, failure } of cases) {
    t.test(`${rfc} ${clause}: ${name}`, async t => {
      t.ok(failure === null, failure ?? 'as written')
    })
  }
}

t.test('something shows every requirement, and each case has a name of its own', async t => {
  for (const { rfc, requirement: { clause }, cases } of results) {
    t.ok(cases.length > 0, `${rfc} ${clause}`)
    t.equal(new Set(cases.map(({ name }) => name)).size, cases.length, `${rfc} ${clause}`)
  }
})

t.test('no clause is left out, or there twice', async t => {
  const clauses = new Map(RFCS.map(({ number, requirements }) => [number, requirements.map(({ clause }) => clause)]))
  for (const [rfc, last] of [[4787, 14], [5382, 10], [5508, 11], [6888, 15]]) {
    const missing = Array.from({ length: last }, (_, i) => `REQ-${i + 1}`).filter(clause => clauses.get(rfc)?.includes(clause) !== true)
    t.same(missing, [], `RFC ${rfc}`)
  }
  t.same(clauses.get(7857), ['§2', '§2.1', '§2.2', '§3', '§4', '§5', '§6', '§7', '§7.1', '§8', '§9', '§10', '§11', '§12', '§13'])
  for (const [rfc, list] of clauses) t.equal(new Set(list).size, list.length, `RFC ${rfc}`)
})

t.test('what 6888 REQ-1 says of the other RFCs holds', async t => {
  const missed = results.filter(({ rfc, status, requirement }) => [4787, 5382, 5508].includes(rfc) && requirement.level === 'must' && status !== 'default' && status !== 'option')
  t.same(missed.map(({ rfc, requirement }) => `${rfc} ${requirement.clause}`), ['4787 REQ-7'])
})

t.test('docs/conformance.md is what this run gives', async t => {
  const text = await readFile('docs/conformance.md', 'utf8')
  t.ok(text === writeDocument(results), 'if it is not: npm run conformance writes it anew; review the difference before you commit it')
})
