// The benches that come with naptlab, by name.
import { BenchError, type BenchDescription } from '../bench/bench.js'
import { readBench, readBenchFile, type NatReader } from '../bench/read-bench.js'
import { discovery } from './discovery.js'
import { fig10, fig10Lan } from './fig10.js'
import { hybrid } from './hybrid.js'
import { placedBenches } from './placements.js'
import { relayLogin } from './relay-login.js'

const BENCHES = new Map([...placedBenches, fig10, fig10Lan, hybrid, discovery, relayLogin].map(bench => [bench.name, bench]))

/** A bench by its name, or by the path of a YAML or JSON file. @throws BenchError when there is neither, or it is wrong */
export function describedBench(nameOrFile: string, readNat?: NatReader): BenchDescription {
  const known = BENCHES.get(nameOrFile)
  if (known) return readBench(known, readNat ? { readNat } : {})
  if (/[./]/.test(nameOrFile)) return readBenchFile(nameOrFile, readNat)
  throw new BenchError(`there is no bench '${nameOrFile}' (known: ${[...BENCHES.keys()].join(', ')}), and a file's name has a dot or a slash in it`)
}
