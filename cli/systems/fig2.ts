// naptlab run fig2.
import { formatFigures } from '../../captures/index.js'
import { FIG2_LANES, runFig2 } from '../../lab/fig2.js'
import { UsageError } from '../errors.js'
import { benchOf, equipmentLines, refuse, titleOf, type System, type SystemOptions } from './system.js'

/** @throws UsageError, BenchError */
export function fig2(options: SystemOptions): System {
  refuse('fig2', options, 'issuer')
  const { variant = 'fig2', bench: nameOrFile, nat } = options
  const level = options.level === 1 || options.level === 2 ? options.level : 3
  if (variant === 'fig8b' && (nameOrFile !== undefined || nat.length > 0)) throw new UsageError('--variant fig8b is about the bench of the documents; leave --bench and --nat out.')
  const bench = benchOf(options, 'fig1')
  return {
    name: variant,
    title: titleOf(options, 'bench of Fig. 1', `level ${level}, no encryption`),
    lanes: FIG2_LANES,
    run: async live => {
      const result = await runFig2({ ...live, ...(bench === undefined ? {} : { bench }), variant, level })
      const { equipment, figures, file } = result
      const below = level < 3 ? ' (they belong to level 3; what differs at this level is listed)' : ''
      return {
        result,
        summary: {
          tables: { '104a': 'Fig. 6', '104b': 'Fig. 12' },
          before: [
            equipmentLines('Equipment list of 101 (Fig. 9)', equipment),
            [`Packet layouts of Figs. 7 and 8${below}`, ...formatFigures(figures).map(line => `  ${line}`)],
          ],
          after: file === null ? [] : [[`S209  102 sent 103 a file of ${file.bytes} bytes, SHA-256 ${file.sha256.slice(0, 16)}…, the same at both ends`]],
        },
      }
    },
  }
}
