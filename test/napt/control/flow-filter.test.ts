// The filter of table, flush and trace: what is read, what is refused, and which rows it means.
import t from 'tap'
import { parseFlowFilter, selectMapping } from '../../../napt/control/flow-filter.js'
import type { MappingRow, SessionRow } from '../../../napt/table/listing.js'
import { parseEndpoint, parseIpv4, type Port } from '../../../napt/wire/address.js'

const session = (remote: string, tcp?: SessionRow['tcp']): SessionRow => {
  const { address, port } = parseEndpoint(remote)
  return { remoteAddress: address, remotePort: port, timeLeft: 1000, ...(tcp === undefined ? {} : { tcp }) }
}
const mapping = (protocol: MappingRow['protocol'], kind: 'dynamic' | 'static', lan: string, wanPort: number, ...sessions: SessionRow[]): MappingRow => {
  const { address, port } = parseEndpoint(lan)
  return { protocol, kind, lanAddress: address, lanPort: port, wanAddress: parseIpv4('202.204.16.13'), wanPort: wanPort as Port, sessions }
}

const ROWS = [
  mapping('udp', 'dynamic', '192.168.1.3:2000', 3400, session('130.74.23.6:1200'), session('8.117.12.109:1200')),
  mapping('tcp', 'dynamic', '192.168.1.3:2600', 2401, session('130.74.23.6:1300', 'established'), session('130.74.23.6:1301', 'opening')),
  mapping('tcp', 'dynamic', '192.168.1.4:2600', 2402, session('130.74.23.6:1300', 'opening')),
  mapping('tcp', 'static', '192.168.1.4:80', 8080),
  mapping('ip', 'dynamic', '192.168.1.5:47', 47, session('130.74.23.6:47')),
]

/** As in `2401: 1300 1301`, for each mapping that is meant. */
const meant = (filter: object): string[] => ROWS.map(row => selectMapping(row, parseFlowFilter(filter))).filter(row => row !== null)
  .map(({ wanPort, sessions }) => `${wanPort}: ${sessions.map(({ remotePort }) => remotePort).join(' ')}`.trim())

t.test('which rows are meant', async t => {
  const cases: readonly [object, readonly string[]][] = [
    [{}, ['3400: 1200 1200', '2401: 1300 1301', '2402: 1300', '8080:', '47: 47']],
    [{ protocol: 'udp' }, ['3400: 1200 1200']],
    [{ protocol: '47' }, ['47: 47']],
    [{ protocol: '50' }, []],
    [{ kind: 'static' }, ['8080:']],
    [{ kind: 'dynamic', protocol: 'tcp' }, ['2401: 1300 1301', '2402: 1300']],
    [{ lan: '192.168.1.4' }, ['2402: 1300', '8080:']],
    [{ lan: '192.168.1.4:80' }, ['8080:']],
    [{ lan: '2600' }, ['2401: 1300 1301', '2402: 1300']],
    [{ wan: '3400' }, ['3400: 1200 1200']],
    [{ wan: '202.204.16.13:3400' }, ['3400: 1200 1200']],
    [{ wan: '202.204.16.13' }, ['3400: 1200 1200', '2401: 1300 1301', '2402: 1300', '8080:', '47: 47']],
    [{ wan: '202.204.16.14:3400' }, []],
    // Of a mapping only the sessions that are meant; without one, nothing.
    [{ remote: '130.74.23.6' }, ['3400: 1200', '2401: 1300 1301', '2402: 1300', '47: 47']],
    [{ remote: '130.74.23.6:1300' }, ['2401: 1300', '2402: 1300']],
    [{ remote: '255.255.255.255' }, []],
    [{ state: 'opening' }, ['2401: 1301', '2402: 1300']],
    [{ state: 'established', lan: '192.168.1.4' }, []],
    [{ state: 'open' }, ['3400: 1200 1200', '47: 47']],
    [{ state: 'closing' }, []],
  ]
  for (const [filter, wanted] of cases) t.same(meant(filter), wanted, JSON.stringify(filter))
})

t.test('what is no filter is refused', async t => {
  const cases: readonly [unknown, string][] = [
    [null, 'filter is null; wanted are the fields protocol, lan, wan, remote, kind, state'],
    ['udp', 'filter is "udp"; wanted are the fields protocol, lan, wan, remote, kind, state'],
    [{ port: 1 }, 'filter.port is not known here; known are protocol, lan, wan, remote, kind, state'],
    [{ protocol: 'quic' }, "filter.protocol is 'quic'; wanted is tcp, udp, icmp, or the number of another protocol"],
    [{ lan: 'here' }, "filter.lan: 'here' is not ADDRESS, ADDRESS:PORT or PORT (such as 192.168.1.3:2000)"],
    [{ lan: '1.2.3.4:5:6' }, "filter.lan: '1.2.3.4:5:6' is not ADDRESS, ADDRESS:PORT or PORT (such as 192.168.1.3:2000)"],
    [{ wan: ':3400' }, "filter.wan: ':3400' is not ADDRESS, ADDRESS:PORT or PORT (such as 192.168.1.3:2000)"],
    [{ wan: '70000' }, "filter.wan: '70000' is not a port (1 to 65535)"],
    [{ wan: 3400 }, 'filter.wan is 3400; a text is wanted'],
    [{ remote: '1.2.3.400' }, "filter.remote: '1.2.3.400' is not an IPv4 address (four numbers of 0 to 255, such as 192.168.1.11)"],
    [{ remote: '1.2.3.4:' }, "filter.remote: '' is not a port (1 to 65535)"],
    [{ kind: 'odd' }, 'filter.kind is "odd"; wanted is one of dynamic, static, one-to-one'],
    [{ state: 'half-open' }, 'filter.state is "half-open"; wanted is one of open, opening, established, closing, closed, reset'],
  ]
  for (const [filter, message] of cases) t.throws(() => parseFlowFilter(filter), { message }, JSON.stringify(filter))
  t.throws(() => parseFlowFilter({ lan: 'here' }, '--'), { message: /^--lan: 'here'/ }, 'in the words of whoever asks')
})
