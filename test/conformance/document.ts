// docs/conformance.md, out of the results of a run.
import type { Result, Status } from './results.js'
import { RFCS } from './rfcs.js'
import type { Level } from './requirement.js'

const HEAD = `# Conformance

What the RFCs on NAT behaviour ask, and whether naptlab's router does it. **Met by default**: with nothing configured, it does.
**Met by option**: it does with the named choice under \`nat\` of a router's description ([napt/behaviour/behaviour.ts](../napt/behaviour/behaviour.ts)
has them all); the default is another one. **Not met**: it does not, and why.

Every row rests on tests of its own, named in the last column: a few frames in, the frames or the reason for the drop out, and the
times in between. Those of a requirement that is not met show what happens instead. They are tables, in files named after the RFCs
in [test/conformance/](../test/conformance/); \`conformance.test.ts\` there runs each as \`CLAUSE: NAME\`.

This file is written from the results of that run, and the run fails when it is not byte for byte what they give. After a change,
\`npm run conformance\` writes it anew.
`

const LEVELS: readonly Level[] = ['must', 'should', 'may']

/** The whole file. */
export function writeDocument(results: readonly Result[]): string {
  const sections = RFCS.map(({ number, title }) => section(number, title, results.filter(({ rfc }) => rfc === number)))
  return [HEAD, summary(results), ...sections].join('\n')
}

function summary(results: readonly Result[]): string {
  const rows = RFCS.map(({ number, title }) => countsRow(`[RFC ${number}](#rfc-${number}), ${title}`, results.filter(({ rfc }) => rfc === number)))
  return ['| | requirements | met by default | met by option | not met | of these must · should · may |', '|---|--:|--:|--:|--:|--:|', ...rows, countsRow('**all**', results), ''].join('\n')
}

function countsRow(name: string, results: readonly Result[]): string {
  const count = (status: Status): number => results.filter(one => one.status === status).length
  const missed = LEVELS.map(level => results.filter(one => one.status === 'not met' && one.requirement.level === level).length)
  return `| ${[name, results.length, count('default'), count('option'), count('not met'), missed.join(' · ')].join(' | ')} |`
}

function section(rfc: number, title: string, results: readonly Result[]): string {
  return [`## RFC ${rfc}`, '', `${title}: <https://www.rfc-editor.org/rfc/rfc${rfc}>`, '', '| clause | a NAT … | is | shown by |', '|---|---|---|---|', ...results.map(row), ''].join('\n')
}

function row(result: Result): string {
  const { rfc, requirement: { clause, text }, cases } = result
  return `| ${[`${rfc} ${clause}`, text, verdict(result), testNames(cases.map(({ name }) => name)).join('<br>')].map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** Tests that are many of one kind, as in `KIND: THIS ONE`, are told once. */
function testNames(names: readonly string[]): string[] {
  const kindOf = (name: string): string => name.split(': ')[0]
  const kinds = Array.from(new Set(names.map(kindOf)), kind => ({ kind, all: names.filter(name => kindOf(name) === kind) }))
  return kinds.flatMap(({ kind, all }) => all.length < 4 ? all : [`${kind}: … (${all.length})`])
}

function verdict({ status, options, cases, requirement: { because, note } }: Result): string {
  const rest = note === undefined ? '' : `; ${note}`
  switch (status) {
    case 'default': return `met by default${rest}`
    case 'option': return `met by option ${options.map(one => `\`${one}\``).join(', ')}${rest}`
    case 'not met': return `**not met**: ${because ?? ''}${rest}`
    case 'broken': return `**broken**: ${cases.flatMap(({ name, failure }) => failure === null ? [] : [name]).join(', ')}`
  }
}
