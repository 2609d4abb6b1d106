// naptlab run fig13.
import { FIG13_LANES, runFig13 } from '../../lab/systems/fig13.js'
import type { Transfer } from '../../lab/systems/relayed.js'
import { benchOf, chosen, equipmentLines, hasOnly, titleOf, type System, type SystemOptions } from './system.js'

/** @throws UsageError, BenchError */
export function fig13(options: SystemOptions): System {
  hasOnly('fig13', options, 'bench', 'nat', 'issuer')
  const issuer = chosen('fig13', options, 'issuer', ['wan', 'lan'])
  const bench = benchOf(options, issuer === 'wan' ? 'fig10' : 'fig10-lan')
  return {
    name: issuer === 'wan' ? 'fig13' : 'fig13-lan',
    title: titleOf(options, issuer === 'wan' ? 'bench of Fig. 10' : 'bench of Fig. 10, 12 behind a router too', 'relayed connection, no encryption'),
    lanes: FIG13_LANES[issuer],
    run: async live => {
      const result = await runFig13({ ...live, ...(bench === undefined ? {} : { bench }), issuer })
      const { equipment, transfers, relayed } = result
      const counted = relayed === null ? [] : [`through the server  ${relayed.fromIssuer} bytes from 12 to 13, ${relayed.fromAcceptor} bytes from 13 to 12`]
      return { result, summary: { tables: { 104: 'Fig. 12' }, before: [equipmentLines('Equipment list of 11', equipment)], after: [[...transfers.map(transferLine), ...counted]] } }
    },
  }
}

export const transferLine = ({ from, to, bytes, sha256 }: Transfer): string =>
  `${from} sent ${to} a file of ${bytes} bytes, SHA-256 ${sha256.slice(0, 16)}…, the same at both ends`
