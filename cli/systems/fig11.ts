// naptlab run fig11.
import { FIG11_LANES, runFig11 } from '../../lab/systems/fig11.js'
import { mappingLines } from '../tables.js'
import { benchOf, hasOnly, titleOf, type System, type SystemOptions } from './system.js'

/** @throws UsageError, BenchError */
export function fig11(options: SystemOptions): System {
  hasOnly('fig11', options, 'bench', 'nat')
  const bench = benchOf(options, 'fig10')
  return {
    name: 'fig11',
    title: titleOf(options, 'bench of Fig. 10', 'NAPT alone'),
    lanes: FIG11_LANES,
    run: async live => {
      const result = await runFig11({ ...live, ...(bench === undefined ? {} : { bench }) })
      return { result, summary: { tables: { 104: 'at the end' }, before: result.moments.map(({ moment, table }) => [moment, ...mappingLines(table)]) } }
    },
  }
}
