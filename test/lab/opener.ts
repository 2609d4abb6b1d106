// A process that opens Fig. 1, prints the keeper's id, and then does nothing: to be killed in various ways.
import { fig1, openBench } from '../../lab/index.js'

const bench = await openBench(fig1, { name: process.argv[2], routerScript: process.argv[3] })
process.stdout.write(`${bench.pid}\n`)
