// The tables of docs/checks.md, made from what the reader of check files goes by; a test compares them with the file.
import { stringify } from 'yaml'
import { CHECK_FIELDS } from '../../../captures/check/fields.js'
import { CHECK_SHAPE } from '../../../captures/check/format.js'
import type { Field, Shape } from '../../../captures/check/shape.js'

type Fields = Readonly<Record<string, Field>>

/** The fields of a shape, or of what a list of it holds. */
function fieldsOf(shape: Shape): Fields {
  switch (shape.kind) {
    case 'fields': return shape.fields
    case 'shared': return fieldsOf(shape.shape)
    case 'list': return fieldsOf(shape.item)
    case 'either': return fieldsOf(shape.of[0])
    default: return {}
  }
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

const example = (value: unknown): string =>
  value === undefined ? '' : `\`${typeof value === 'string' || typeof value === 'number' ? value : stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}\``

const tableOf = (fields: Fields): string => table(['field', 'what it says', 'such as'],
  Object.entries(fields).map(([name, { about, example: like, isNeeded }]) => [`\`${name}\`${isNeeded === true ? ', needed' : ''}`, about, example(like)]))

function fieldTable(): string {
  const names = [...CHECK_FIELDS].filter(([name, { field }]) => name === field)
  return table(['field', 'Wireshark\'s name', 'value'], names.map(([name, { is }]) => [
    `\`${name}\``, [...CHECK_FIELDS].filter(([other, { field }]) => field === name && other !== name).map(([other]) => `\`${other}\``).join(', '),
    is.kind === 'number' ? `0 to ${is.most}` : is.kind === 'mac' ? 'MAC address' : is.kind === 'hex' ? 'hexadecimal' : is.kind,
  ]))
}

/** The document with its tables made anew; each stands behind a comment that names it, up to the next empty line. */
export function writeDocument(document: string): string {
  const expected = fieldsOf(fieldsOf(CHECK_SHAPE).expect.shape)
  const tables: Readonly<Record<string, string>> = {
    file: tableOf(CHECK_SHAPE.fields), packet: tableOf(expected), translated: tableOf(fieldsOf(expected.translated.shape)),
    payload: tableOf(fieldsOf(expected.payload.shape)), fields: fieldTable(),
  }
  return document.replace(/<!-- table: (\w+) -->\n(\|.*\n)*/g, (_, name: string) => `<!-- table: ${name} -->\n${tables[name]}\n`)
}
