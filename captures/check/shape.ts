// The shape of a YAML file as one table: the reader checks the file with it, and the JSON Schema that editors use is made of it, so
// that the two cannot disagree.
import { isMap, isScalar, isSeq, type Node, type Pair } from 'yaml'

export type Shape =
  | { readonly kind: 'fields', readonly fields: Readonly<Record<string, Field>>, readonly about?: string }
  | { readonly kind: 'named', readonly name: RegExp, readonly value: Shape }
  | { readonly kind: 'list', readonly item: Shape }
  | { readonly kind: 'text', readonly pattern: RegExp, readonly wanted: string }
  | { readonly kind: 'whole', readonly least: number, readonly most: number }
  | { readonly kind: 'choice', readonly of: readonly (string | boolean)[] }
  /** Alternatives are told apart by what they are made of: a set of fields, a list, a value. */
  | { readonly kind: 'either', readonly of: readonly Shape[] }
  /** One that the schema writes down once. */
  | { readonly kind: 'shared', readonly name: string, readonly shape: Shape }

export interface Field { readonly shape: Shape, readonly about: string, readonly isNeeded?: boolean, readonly example?: unknown }

export type Path = readonly (string | number)[]
/** `node` says where in the file it stands, if it came from one. */
export interface Problem { readonly path: Path, readonly node: Node | null, readonly what: string }

/** What of a document does not have the shape; empty when all has. */
export function problemsOf(shape: Shape, node: Node | null, path: Path = []): Problem[] {
  const wrong = (): Problem[] => [{ path, node, what: `${show(node)} is not ${wanted(shape)}` }]
  switch (shape.kind) {
    case 'fields': return isMap<Node, Node | null>(node) ? problemsOfFields(shape.fields, node, node.items, path) : wrong()
    case 'named':
      if (!isMap<Node, Node | null>(node)) return wrong()
      return node.items.flatMap(pair => {
        const name = nameOf(pair)
        if (shape.name.test(name)) return problemsOf(shape.value, pair.value, [...path, name])
        return [{ path: [...path, name], node: pair.key, what: 'this is not a name (letters, digits, and . _ - between them)' }]
      })
    case 'list': return isSeq<Node | null>(node) ? node.items.flatMap((item, at) => problemsOf(shape.item, item, [...path, at])) : wrong()
    case 'text': return typeof valueOf(node) === 'string' && shape.pattern.test(String(valueOf(node))) ? [] : wrong()
    case 'whole': return isWhole(valueOf(node), shape.least, shape.most) ? [] : wrong()
    case 'choice': return shape.of.some(each => each === valueOf(node)) ? [] : wrong()
    case 'shared': return problemsOf(shape.shape, node, path)
    case 'either': {
      const all = shape.of.map(each => problemsOf(each, node, path))
      if (all.some(each => each.length === 0)) return []
      const alike = shape.of.findIndex(each => (isMap(node) && isOfFields(each)) || (isSeq(node) && each.kind === 'list'))
      return alike < 0 ? wrong() : all[alike]
    }
  }
}

const isOfFields = (shape: Shape): boolean => shape.kind === 'shared' ? isOfFields(shape.shape) : shape.kind === 'fields' || shape.kind === 'named'
const isWhole = (value: unknown, least: number, most: number): boolean => typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most

function problemsOfFields(fields: Readonly<Record<string, Field>>, node: Node, items: readonly Pair<Node, Node | null>[], path: Path): Problem[] {
  const known = Object.keys(fields)
  const found = items.flatMap((pair): Problem[] => {
    const name = nameOf(pair)
    if (Object.hasOwn(fields, name)) return problemsOf(fields[name].shape, pair.value, [...path, name])
    return [{ path: [...path, name], node: pair.key, what: `there is no such field here (known: ${known.filter(each => !each.startsWith('$')).join(', ')})` }]
  })
  const missing = known.filter(name => fields[name].isNeeded === true && !items.some(pair => nameOf(pair) === name))
  return [...found, ...missing.map((name): Problem => ({ path, node, what: `${name} is missing: ${fields[name].about}` }))]
}

const nameOf = ({ key }: Pair<Node, Node | null>): string => isScalar(key) ? String(key.value) : ''
const valueOf = (node: Node | null): unknown => isScalar(node) ? node.value : undefined

function show(node: Node | null): string {
  if (isMap(node)) return 'a set of fields'
  if (isSeq(node)) return 'a list'
  const value = valueOf(node)
  return value === undefined || value === null ? 'nothing' : typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

/** In words, with an article. */
function wanted(shape: Shape): string {
  switch (shape.kind) {
    case 'fields': return `a set of fields (${Object.keys(shape.fields).filter(each => !each.startsWith('$')).join(', ')})`
    case 'named': return `a set of names, each with ${wanted(shape.value)}`
    case 'list': return 'a list'
    case 'text': return shape.wanted
    case 'whole': return `a whole number of ${shape.least} to ${shape.most}`
    case 'choice': return shape.of.length === 2 ? shape.of.join(' or ') : `one of ${shape.of.join(', ')}`
    case 'either': return shape.of.map(wanted).join(', or ')
    case 'shared': return wanted(shape.shape)
  }
}

/** The shape as JSON Schema (draft 7, which every editor knows). */
export function toJsonSchema(shape: Shape): object {
  const definitions: Record<string, object> = {}
  const schema = schemaOf(shape, definitions)
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...schema, definitions }
}

function schemaOf(shape: Shape, definitions: Record<string, object>): object {
  switch (shape.kind) {
    case 'fields': {
      const needed = Object.keys(shape.fields).filter(name => shape.fields[name].isNeeded === true)
      const propertyOf = ({ shape: value, about, example }: Field): object =>
        ({ description: about, ...(example === undefined ? {} : { examples: [example] }), ...inPlace(schemaOf(value, definitions)) })
      return {
        ...(shape.about === undefined ? {} : { description: shape.about }),
        type: 'object', additionalProperties: false, ...(needed.length === 0 ? {} : { required: needed }),
        properties: Object.fromEntries(Object.entries(shape.fields).map(([name, each]) => [name, propertyOf(each)])),
      }
    }
    case 'named': return { type: 'object', propertyNames: { pattern: shape.name.source }, additionalProperties: schemaOf(shape.value, definitions) }
    case 'list': return { type: 'array', items: schemaOf(shape.item, definitions) }
    case 'text': return { type: 'string', pattern: shape.pattern.source }
    case 'whole': return { type: 'integer', minimum: shape.least, maximum: shape.most }
    case 'choice': return { enum: shape.of }
    case 'either': return { anyOf: shape.of.map(each => schemaOf(each, definitions)) }
    case 'shared':
      definitions[shape.name] ??= schemaOf(shape.shape, definitions)
      return { $ref: `#/definitions/${shape.name}` }
  }
}

/** In draft 7 nothing beside a $ref counts, so one with a description stands inside an allOf. */
const inPlace = (schema: object): object => '$ref' in schema ? { allOf: [schema] } : schema
