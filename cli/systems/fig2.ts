// naptlab run fig2.
import { formatFigures } from '../../captures/check-report.js'
import type { BenchDescription } from '../../lab/bench/bench.js'
import { fig1With, PLACEMENTS, type Placements } from '../../lab/benches/placements.js'
import { fig1 } from '../../lab/benches/fig1.js'
import { runFig2, type Fig2Result } from '../../lab/systems/fig2.js'
import { lanesOf, PLACE_NAMES, placementsOf } from '../../lab/systems/placement.js'
import { keyExchangeOf, type Encryption, type KeyExchange } from '../../endpoints/channel/variants.js'
import { isUnderTls } from '../../endpoints/connection.js'
import { EndpointError } from '../../endpoints/errors.js'
import { UsageError } from '../errors.js'
import { benchOf, chosen, equipmentLines, titleOf, type System, type SystemOptions } from './system.js'

/** @throws UsageError, BenchError */
export function fig2(options: SystemOptions): System {
  const { variant = 'fig2', mapping = 'static', data = 'tcp' } = options
  const level = options.level === 1 || options.level === 2 ? options.level : 3
  const { encryption, keyExchange } = protectionOf(options)
  const placements: Placements = { issuer: chosen('fig2', options, 'issuer', PLACEMENTS), acceptor: chosen('fig2', options, 'acceptor', PLACEMENTS) }
  refuseContradictions(options)
  const standard = fig1With(placements)
  const bench = benchOf(options, standard.name) ?? (standard === fig1 ? undefined : standard)
  return {
    name: nameOf(options, standard),
    title: titleOf(options, 'bench of Fig. 1', ...placesOf(bench ?? fig1), encryption === 'none' ? `level ${level}, no encryption` : `level 4, ${encryption === 'ssl3' ? 'SSL 3.0 (insecure)' : encryption}${keyExchange === null ? '' : `, key exchange ${keyExchange}`}`, ...data === 'tcp' ? [] : [`S209 ${DATA_NAMES[data]}`], ...mapping === 'static' ? [] : ['port 5000 mapped on demand'],
      ...variant === 'renumber' ? ['104b gets another WAN address'] : []),
    lanes: lanesOf(bench ?? fig1, encryption !== 'none' && keyExchange !== 'dh'),
    run: async live => {
      const result = await runFig2({ ...live, ...(bench === undefined ? {} : { bench }), variant, level, mapping, data, encryption, ...(keyExchange === null ? {} : { keyExchange }) })
      const { equipment, gap } = result
      return {
        result,
        summary: {
          tables: tableNames(bench ?? fig1, mapping),
          before: [
            ...gap === null ? [] : [['Request before the next 201', `  102: ${gap}`]],
            equipmentLines('Equipment list of 101 (Fig. 9)', equipment),
            figureLines(result, level),
          ],
          after: fileLines(result),
        },
      }
    },
  }
}

const DATA_NAMES = { 'tls': 'under TLS', 'udp': 'over UDP', 'udp-tls': 'over UDP under TLS' } as const

/** Level 4 is encrypted, and the levels below are not. @throws UsageError for options that contradict each other */
function protectionOf({ level, encryption = level === undefined || level === 4 ? 'tls1.3' : 'none', 'key-exchange': keyExchange, data = 'tcp' }: SystemOptions): { encryption: Encryption, keyExchange: KeyExchange | null } {
  if (level === 4 && encryption === 'none') throw new UsageError('level 4 is the encrypted one; leave --level 4 or --encryption none out.')
  if (level !== undefined && level < 4 && encryption !== 'none') throw new UsageError(`level ${level} is without encryption; leave --level or --encryption out.`)
  if (encryption === 'none' && isUnderTls(data)) throw new UsageError(`--data ${data} needs level 4: the key of the direct connection travels on those that are encrypted.`)
  try {
    const exchange = keyExchangeOf(encryption, keyExchange)
    return { encryption, keyExchange: encryption === 'tls1.3' ? null : exchange }
  } catch (error) {
    throw error instanceof EndpointError ? new UsageError(error.message) : error
  }
}

/** @throws UsageError for options that say two things of one bench */
function refuseContradictions({ variant, bench, nat, issuer, acceptor, mapping }: SystemOptions): void {
  const hasPlace = issuer !== undefined || acceptor !== undefined
  if (bench !== undefined && hasPlace) throw new UsageError('where 102 and 103 are is in the --bench file; leave --issuer and --acceptor out, or --bench.')
  if (variant !== undefined && variant !== 'fig2' && (bench !== undefined || nat.length > 0 || hasPlace || mapping === 'on-demand')) {
    throw new UsageError(`--variant ${variant} is about the bench of the documents; leave --bench, --nat, --issuer, --acceptor and --mapping out.`)
  }
  if (mapping === 'on-demand' && issuer !== undefined && issuer !== 'napt') throw new UsageError(`--mapping on-demand is about the mapping of port 5000, which only NAPT needs; leave it out, or --issuer ${issuer}.`)
}

/** The folder below out/. */
function nameOf({ variant = 'fig2', mapping = 'static', data = 'tcp', encryption, 'key-exchange': keyExchange }: SystemOptions, standard: BenchDescription): string {
  const placed = standard === fig1 ? variant : standard.name.replace(fig1.name, variant)
  return [placed, ...encryption === undefined ? [] : [encryption], ...keyExchange === undefined ? [] : [keyExchange], ...data === 'tcp' ? [] : [data], ...mapping === 'static' ? [] : [mapping]].join('-')
}

/** The figures that the routers' tables are in, where they are. */
function tableNames(bench: BenchDescription, mapping: 'static' | 'on-demand'): Record<string, string> {
  const { issuer, acceptor } = placementsOf(bench)
  return { ...issuer === 'napt' && mapping === 'static' ? { '104a': 'Fig. 6' } : {}, ...acceptor === 'napt' ? { '104b': 'Fig. 12' } : {} }
}

function placesOf(bench: BenchDescription): string[] {
  const { issuer, acceptor } = placementsOf(bench)
  return issuer === 'napt' && acceptor === 'napt' ? [] : [`102 ${PLACE_NAMES[issuer]}, 103 ${PLACE_NAMES[acceptor]}`]
}

function figureLines({ figures, notOfTheFigures }: Fig2Result, level: number): string[] {
  if (figures === null) return [`Packet layouts of Figs. 7 and 8: not checked: ${notOfTheFigures ?? ''}`]
  const below = level < 3 ? ' (they belong to level 3; what differs at this level is listed)' : ''
  return [`Packet layouts of Figs. 7 and 8${below}`, ...formatFigures(figures).map(line => `  ${line}`)]
}

function fileLines({ file }: Fig2Result): string[][] {
  return file === null ? [] : [[`S209  102 sent 103 a file of ${file.bytes} bytes, SHA-256 ${file.sha256.slice(0, 16)}…, the same at both ends`]]
}
