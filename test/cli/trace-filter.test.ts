// Which records a filter of `trace` means: by the frames themselves, and by the mapping where one had a part.
import t from 'tap'
import { isMeant } from '../../cli/trace-filter.js'
import { parseFlowFilter } from '../../napt/control/flow-filter.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import { parseIpv4, type Port } from '../../napt/wire/address.js'
import { alteredHeader, arpRequest, icmpError, udp } from '../napt/frames.js'
import { MACS } from '../napt/router-bench.js'

const OUT = udp('192.168.1.3:2000', '130.74.23.6:1200'), OUT_AFTER = udp('202.204.16.13:3400', '130.74.23.6:1200')
const KNOCK = udp('8.117.12.109:9', '202.204.16.13:3400')
const at = (address: string, port: number): { address: ReturnType<typeof parseIpv4>, port: Port } => ({ address: parseIpv4(address), port: port as Port })
const explanation = {
  mapping: { protocol: 'udp', kind: 'dynamic', lan: at('192.168.1.3', 2000), wan: at('202.204.16.13', 3400), dependence: 'endpoint-independent', isNew: false },
  before: 'none', after: 'none',
} as const

const RECORDS: Readonly<Record<string, TraceRecord>> = {
  outbound: { time: 1n, action: 'forward', received: { side: 'lan', frame: OUT }, sent: { side: 'wan', frame: OUT_AFTER } },
  inbound: { time: 1n, action: 'forward', received: { side: 'wan', frame: udp('130.74.23.6:1200', '202.204.16.13:3400') }, sent: { side: 'lan', frame: udp('130.74.23.6:1200', '192.168.1.3:2000') } },
  hairpin: { time: 1n, action: 'forward', received: { side: 'lan', frame: udp('192.168.1.4:7', '202.204.16.13:3400') }, sent: { side: 'lan', frame: udp('202.204.16.13:3401', '192.168.1.3:2000') } },
  filtered: { time: 1n, action: 'drop', reason: 'filtered', explanation, received: { side: 'wan', frame: KNOCK } },
  unmapped: { time: 1n, action: 'drop', reason: 'no-mapping', received: { side: 'wan', frame: KNOCK } },
  error: { time: 1n, action: 'drop', reason: 'no-session', explanation, received: { side: 'wan', frame: icmpError('10.9.9.9', '202.204.16.13', 3, 3, OUT_AFTER) } },
  fragment: { time: 1n, action: 'drop', reason: 'fragment', received: { side: 'lan', frame: alteredHeader(OUT, 6, 0, 9) } },
  arp: { time: 1n, action: 'originate', sent: { side: 'wan', frame: arpRequest({ mac: MACS.wan, address: '202.204.16.13' }, '130.74.23.6') } },
}

const cases: readonly [object, readonly string[]][] = [
  [{}, Object.keys(RECORDS)],
  [{ protocol: 'udp' }, ['outbound', 'inbound', 'hairpin', 'filtered', 'unmapped', 'error', 'fragment']],
  [{ protocol: 'icmp' }, ['error']],
  [{ protocol: 'tcp' }, []],
  [{ lan: '192.168.1.3' }, ['outbound', 'inbound', 'hairpin', 'filtered', 'error', 'fragment']],
  [{ lan: '192.168.1.3:2000' }, ['outbound', 'inbound', 'hairpin', 'filtered', 'error']],
  [{ lan: '192.168.1.4' }, ['hairpin']],
  [{ wan: '3400' }, ['outbound', 'inbound', 'filtered', 'unmapped', 'error']],
  [{ remote: '130.74.23.6' }, ['outbound', 'inbound', 'fragment']],
  [{ remote: '130.74.23.6:1200' }, ['outbound', 'inbound']],
  [{ remote: '8.117.12.109', wan: '202.204.16.13:3400' }, ['filtered', 'unmapped']],
]

for (const [filter, wanted] of cases) {
  t.test(JSON.stringify(filter), async t => {
    const parsed = parseFlowFilter(filter)
    t.same(Object.keys(RECORDS).filter(name => isMeant(RECORDS[name], parsed)), wanted)
  })
}
