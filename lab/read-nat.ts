// A NAT as people name it: a preset, a file, or the fields themselves. A file holds the fields alone, or what was observed of a
// device with the fields under `nat`, to be kept and shared.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadYaml } from '../captures/yaml.js'
import { ConfigError, record, text, type Fields } from '../napt/fields.js'
import { PRESET_NAMES, presetNamed } from '../napt/behaviour/presets.js'
import { parseBehaviour } from '../napt/behaviour/read-behaviour.js'
import { BenchError, type BenchDescription } from './bench/bench.js'

/** Where a described NAT was seen. Free words; nothing hangs on them. */
export interface Observed {
  readonly device: string
  readonly firmware?: string
  readonly where?: string
  readonly date?: string
  readonly by?: string
  readonly notes?: string
}

export interface NamedNat {
  /** The preset's name, or the file's. */
  readonly name: string
  readonly observed?: Observed
  /** A preset's name or fields, as parseBehaviour reads them; checked. */
  readonly nat: string | Fields
}

const OBSERVED_FIELDS = ['device', 'firmware', 'where', 'date', 'by', 'notes'] as const

/** As with benches, a file's name has a dot or a slash in it, and no preset's has. */
const isFileName = (name: string): boolean => /[./]/.test(name)

/**
 * @param folder where the name of a file begins
 * @throws ConfigError that names file and field; BenchError when there is neither such a preset nor such a file
 */
export function natNamed(name: string, folder = '.'): NamedNat {
  if (isFileName(name)) return readNatFile(name, folder)
  if (presetNamed(name) === undefined) throw new BenchError(`there is no preset '${name}' (known: ${PRESET_NAMES.join(', ')}), and a file's name has a dot or a slash in it`)
  return { name, nat: name }
}

/** What is written under `nat` of a bench: a file's name becomes what the file says, all else is kept. @throws like natNamed */
export function resolveNat(nat: unknown, folder = '.'): unknown {
  if (typeof nat === 'string') return natNamed(nat, folder).nat
  parseBehaviour(nat)
  return nat
}

function readNatFile(name: string, folder: string): NamedNat {
  let content: string
  try {
    content = readFileSync(resolve(folder, name), 'utf8')
  } catch (error) {
    throw new BenchError(`NAT file ${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const value = parseYaml(content, name)
  const isEnvelope = typeof value === 'object' && value !== null && ('nat' in value || 'observed' in value)
  if (!isEnvelope) return { name, nat: checkedNat(value, `${name}: nat`) }
  const { observed, nat } = record(value, name, ['observed', 'nat'])
  return { name, ...(observed === undefined ? {} : { observed: readObserved(observed, `${name}: observed`) }), nat: checkedNat(nat, `${name}: nat`) }
}

function parseYaml(content: string, name: string): unknown {
  try {
    return loadYaml().parse(content) as unknown
  } catch (error) {
    throw new ConfigError(`${name} is no YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function checkedNat(nat: unknown, at: string): string | Fields {
  parseBehaviour(nat, at)
  return nat as string | Fields
}

function readObserved(value: unknown, at: string): Observed {
  const fields = record(value, at, OBSERVED_FIELDS)
  const words = OBSERVED_FIELDS.flatMap(field => fields[field] === undefined ? [] : [[field, quotedText(fields[field], `${at}.${field}`)] as const])
  return { ...Object.fromEntries(words), device: quotedText(fields.device, `${at}.device`) }
}

/** YAML takes a firmware version of 7.50 for the number 7.5. */
function quotedText(value: unknown, at: string): string {
  if (typeof value === 'number') throw new ConfigError(`${at} is the number ${value}; a text is wanted: put it in quotes`)
  return text(value, at)
}

/** What belongs to a router's place on its bench, whichever NAT it is: the addresses there, and the ports that the figures show. */
const PLACE_FIELDS = ['translation', 'staticMappings', 'pool', 'oneToOne', 'portAllocation', 'firstPort'] as const

/**
 * The bench with another NAT in one of its routers. The router keeps its static mappings, addresses, port allocation and first
 * ports, as far as the new one says nothing of them: the ports of the documents' figures are the bench's, not a NAT's.
 * @throws BenchError when there is no such router; ConfigError when the new behaviour contradicts what is kept
 */
export function replaceNat(description: BenchDescription, router: string, replacement: NamedNat): BenchDescription {
  const { routers = {} } = description
  if (!Object.hasOwn(routers, router)) throw new BenchError(`bench ${description.name} has no router '${router}' (it has ${Object.keys(routers).join(', ') || 'none'})`)
  const present = asFields(routers[router].nat ?? {}), next = asFields(replacement.nat)
  const said = { ...presetFields(next), ...next }
  const kept = Object.fromEntries(PLACE_FIELDS.filter(field => said[field] === undefined && present[field] !== undefined).map(field => [field, present[field]]))
  // A NAT that says how else it takes ports may have a range that the bench's first ports are outside of.
  if (said.portAllocation !== undefined && said.portAllocation !== 'sequential') delete kept.firstPort
  const nat = { ...next, ...kept }
  parseBehaviour(nat, `${replacement.name} for router ${router}: nat`)
  return { ...description, routers: { ...routers, [router]: { ...routers[router], nat } } }
}

const asFields = (nat: unknown): Fields => typeof nat === 'string' ? { preset: nat } : nat as Fields
const presetFields = ({ preset }: Fields): Fields => typeof preset === 'string' ? presetNamed(preset)?.nat ?? {} : {}
