// Bulk TCP by iperf3(1): what its JSON says.
import { BenchmarkError } from '../process.js'

interface Report { readonly error?: string, readonly end?: { readonly sum_received?: { readonly bits_per_second?: number } } }

/** Bits a second of the payload that arrived, all streams together. @param json what `iperf3 -J` printed. @throws BenchmarkError in iperf3's words */
export function receivedRate(json: string): number {
  let report: Report
  try {
    report = JSON.parse(json) as Report
  } catch {
    throw new BenchmarkError(`iperf3 printed no JSON: ${json.trim().slice(0, 200) || 'nothing at all'}`)
  }
  if (report.error !== undefined) throw new BenchmarkError(`iperf3: ${report.error}`)
  const rate = report.end?.sum_received?.bits_per_second
  if (rate === undefined || !Number.isFinite(rate)) throw new BenchmarkError('iperf3 said nothing of what was received')
  return rate
}
