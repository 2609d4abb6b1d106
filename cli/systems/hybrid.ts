// naptlab run hybrid.
import { HYBRID_LANES, runHybrid } from '../../lab/systems/hybrid.js'
import { columns } from '../tables.js'
import { benchOf, hasOnly, titleOf, type System, type SystemOptions } from './system.js'

/** @throws UsageError, BenchError */
export function hybrid(options: SystemOptions): System {
  hasOnly('hybrid', options, 'bench', 'nat')
  const bench = benchOf(options, 'hybrid')
  return {
    name: 'hybrid',
    title: titleOf(options, 'bench of Fig. 10 and two more clients', 'global addresses connect directly, no encryption'),
    lanes: HYBRID_LANES,
    run: async live => {
      const result = await runHybrid({ ...live, ...(bench === undefined ? {} : { bench }) })
      const rows = result.pairs.map(({ issuer, acceptor, transfer, throughServer, why }) =>
        [`${issuer} → ${acceptor}`, transfer === null ? '—' : String(transfer.bytes), String(throughServer), why])
      return { result, summary: { before: [['Pairs, in the order in which they ended', ...columns([['pair', 'file, bytes', 'bytes through the server', 'path'], ...rows])]] } }
    },
  }
}
