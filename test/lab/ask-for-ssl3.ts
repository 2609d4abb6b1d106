// Says whether this process is one that is given SSL 3.0, or why not.
import { requireBench } from '../../lab/bench/on-bench.js'

let answer = 'given'
try {
  requireBench()
} catch (error) {
  answer = error instanceof Error ? error.message : String(error)
}
process.stdout.write(answer)
