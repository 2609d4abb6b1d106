// The NAPT table: the ports of spec.md, mapping and filtering in every combination, static mappings, the life of sessions.
import t from 'tap'
import { DEPENDENCES } from '../../../napt/behaviour/behaviour.js'
import { parseIpv4 } from '../../../napt/wire/address.js'
import { behaviour, tableOf, TableBench, WAN } from './table-bench.js'

const SERVER = '130.74.23.6', OTHER = '8.117.12.109'

t.test('the port table of spec.md, to the digit', async t => {
  const b104b = new TableBench()
  t.equal(b104b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`), 3400, '201')
  t.equal(b104b.out('tcp', '192.168.1.3:2600', `${SERVER}:1300`), 2401, '221')
  t.equal(b104b.in('udp', 3400, `${SERVER}:1200`), '192.168.1.3:2000', '205')
  t.equal(b104b.in('tcp', 2401, `${SERVER}:1300`, 'SYN ACK'), '192.168.1.3:2600')
  const b104a = new TableBench({ firstPort: { tcp: 7000 }, staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] })
  t.equal(b104a.out('tcp', '192.168.1.11:1500', `${SERVER}:1201`), 7000, '211')
  t.equal(b104a.in('tcp', 5000, '202.204.16.13:2402'), '192.168.1.11:1600', '208')
  t.same(b104a.list(), [
    'static tcp 192.168.1.11:1600 = 5000 < 202.204.16.13:2402 opening 240s',
    'tcp 192.168.1.11:1500 = 7000 < 130.74.23.6:1201 opening 240s',
  ])
})

t.test('Fig. 8B to the digit: the mapping lapses and is made again as 2400, then 221 gets 2401', async t => {
  const b = new TableBench({ firstPort: { udp: 3400, tcp: 2401 } })
  t.equal(b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`), 3400)
  b.now += 300_000
  b.table.setNextPort('udp', 2400)
  t.equal(b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`), 2400)
  t.equal(b.out('tcp', '192.168.1.3:2600', `${SERVER}:1300`), 2401)
  t.equal(b.in('udp', 3400, `${SERVER}:1200`), 'no-mapping', 'the old port leads nowhere')
})

t.test('mapping: on how much of the remote endpoint the WAN port depends (RFC 4787 §4.1)', async t => {
  const remotes = [`${SERVER}:1200`, `${SERVER}:1201`, `${OTHER}:1200`, `${SERVER}:1200`]
  const expected = { 'endpoint-independent': [3400, 3400, 3400, 3400], 'address-dependent': [3400, 3400, 3401, 3400], 'address-and-port-dependent': [3400, 3401, 3402, 3400] }
  for (const mapping of DEPENDENCES) {
    const b = new TableBench({ mapping })
    t.same(remotes.map(remote => b.out('udp', '192.168.1.3:2000', remote)), expected[mapping], mapping)
    t.equal(b.out('udp', '192.168.1.4:2000', `${SERVER}:1200`), Math.max(...expected[mapping]) + 1, 'another host has its own')
  }
})

t.test('filtering: who may send to the WAN port (RFC 4787 §5), with every kind of mapping', async t => {
  const expected = {
    'endpoint-independent': ['in', 'in', 'in'],
    'address-dependent': ['in', 'in', 'filtered'],
    'address-and-port-dependent': ['in', 'filtered', 'filtered'],
  }
  for (const mapping of DEPENDENCES) for (const filtering of DEPENDENCES) for (const protocol of ['udp', 'tcp'] as const) {
    const b = new TableBench({ mapping, filtering })
    const port = Number(b.out(protocol, '192.168.1.3:2000', `${SERVER}:1200`))
    const answers = [`${SERVER}:1200`, `${SERVER}:1201`, `${OTHER}:1200`].map(remote => b.in(protocol, port, remote))
    t.same(answers, expected[filtering].map(word => word === 'in' ? '192.168.1.3:2000' : word), `${protocol}, mapping ${mapping}, filtering ${filtering}`)
    t.equal(b.in(protocol, port + 1, `${SERVER}:1200`), 'no-mapping')
  }
})

t.test('ICMP identifiers are mapped as ports are', async t => {
  const b = new TableBench()
  t.equal(b.out('icmp', '192.168.1.3:7', `${SERVER}:0`), 500)
  t.equal(b.out('icmp', '192.168.1.4:7', `${SERVER}:0`), 501)
  t.equal(b.in('icmp', 501, `${SERVER}:0`), '192.168.1.4:7')
  t.equal(b.in('icmp', 501, `${OTHER}:0`), 'filtered')
  t.equal(b.in('udp', 501, `${SERVER}:1`), 'no-mapping', 'each protocol has its own ports')
})

t.test('static mappings', async t => {
  t.test('let anybody in, whatever the filter, and serve the way out too', async t => {
    const b = new TableBench({ mapping: 'address-and-port-dependent' })
    b.map('tcp', 5000, '192.168.1.11:1600')
    t.equal(b.in('tcp', 5000, `${OTHER}:9`), '192.168.1.11:1600')
    t.equal(b.out('tcp', '192.168.1.11:1600', `${OTHER}:9`, 'SYN ACK'), 5000)
    t.equal(b.out('tcp', '192.168.1.11:1600', `${SERVER}:80`), 5000, 'to anybody')
    t.equal(b.in('tcp', 5000, `${SERVER}:81`, 'ACK'), 'no-session', 'but only a SYN begins')
  })
  t.test('stay without sessions, and when those lapse', async t => {
    const b = new TableBench()
    b.map('udp', 5000, '192.168.1.11:1600')
    b.in('udp', 5000, `${OTHER}:9`)
    b.now += 300_000
    t.same(b.list(), ['static udp 192.168.1.11:1600 = 5000'])
    t.equal(b.table.expire(b.now), true)
    t.equal(b.table.sessionCount, 0)
    t.equal(b.in('udp', 5000, `${OTHER}:9`), '192.168.1.11:1600')
  })
  t.test('a port in use is refused, naming its holder', async t => {
    const b = new TableBench()
    b.map('tcp', 5000, '192.168.1.11:1600')
    b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`)
    t.throws(() => b.map('tcp', 5000, '192.168.1.12:80'), /^WAN port 5000\/tcp is in use: 192\.168\.1\.11:1600 = WAN port 5000 \(static\)\. Choose another port, or remove that mapping first\.$/)
    t.throws(() => b.map('udp', 3400, '192.168.1.12:80'), /WAN port 3400\/udp is in use: 192\.168\.1\.3:2000 = WAN port 3400 \(dynamic\)/)
    t.throws(() => b.map('tcp', 5001, '192.168.1.11:1600'), /192\.168\.1\.11:1600\/tcp has a static mapping already: .*WAN port 5000/)
    t.equal(b.list().length, 2, 'and nothing has changed')
    b.map('udp', 5000, '192.168.1.12:80')
    t.equal(b.in('udp', 5000, `${OTHER}:9`), '192.168.1.12:80', 'the other protocol\'s port is free')
  })
  t.test('a port whose mapping has lapsed is free, at that moment', async t => {
    const b = new TableBench()
    b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`)
    b.now += 299_999
    t.throws(() => b.map('udp', 3400, '192.168.1.12:80'), /in use/)
    b.now += 1
    b.map('udp', 3400, '192.168.1.12:80')
    t.same(b.list(), ['static udp 192.168.1.12:80 = 3400'])
  })
  t.test('a host\'s dynamic mapping gives way to its static one', async t => {
    const b = new TableBench()
    b.out('tcp', '192.168.1.11:1600', `${SERVER}:80`)
    b.map('tcp', 5000, '192.168.1.11:1600')
    t.same(b.list(), ['static tcp 192.168.1.11:1600 = 5000'])
    t.equal(b.in('tcp', 2401, `${SERVER}:80`), 'no-mapping')
  })
  t.test('dynamic ports pass them by', async t => {
    const b = new TableBench()
    b.map('udp', 3400, '192.168.1.11:9')
    t.equal(b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`), 3401)
  })
  t.test('removal takes the sessions with it and frees the port', async t => {
    const b = new TableBench()
    b.map('tcp', 5000, '192.168.1.11:1600')
    b.in('tcp', 5000, `${OTHER}:9`)
    b.table.removeStatic('tcp', 5000, b.now)
    t.same(b.list(), [])
    t.equal(b.in('tcp', 5000, `${OTHER}:9`, 'ACK'), 'no-mapping')
    t.same([b.table.mappingCount, b.table.sessionCount], [0, 0])
    b.map('tcp', 5000, '192.168.1.12:1600')
    t.throws(() => b.table.removeStatic('udp', 5000, b.now), /^WAN port 5000\/udp has no static mapping$/)
    b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`)
    t.throws(() => b.table.removeStatic('udp', 3400, b.now), /no static mapping/, 'a dynamic one is not removed so')
  })
  t.test('contradictions in a configuration', async t => {
    const mapping = (wanPort: number, port: number): object => ({ protocol: 'tcp', wanPort, address: '192.168.1.11', port })
    t.throws(() => behaviour({ staticMappings: [mapping(5000, 1), mapping(5000, 2)] }), /WAN port 5000\/tcp is mapped twice; the second time to 192\.168\.1\.11:2/)
    t.throws(() => tableOf(behaviour({ staticMappings: [mapping(5000, 1), mapping(5001, 1)] })), /192\.168\.1\.11:1\/tcp has a static mapping already/)
  })
})

t.test('times: a session lapses exactly at its deadline', async t => {
  for (const [protocol, seconds] of [['udp', 300], ['icmp', 60]] as const) {
    const b = new TableBench()
    const remote = protocol === 'icmp' ? `${SERVER}:0` : `${SERVER}:1200`
    const port = Number(b.out(protocol, '192.168.1.3:2000', remote))
    b.now = seconds * 1000 - 1
    t.equal(b.list().length, 1)
    t.equal(b.in(protocol, port, remote), '192.168.1.3:2000', `${protocol}: alive a millisecond before`)
    b.now += seconds * 1000 - 1
    t.equal(b.out(protocol, '192.168.1.3:2000', remote), port, 'and refreshed from either side')
    b.now += seconds * 1000
    t.same(b.list(), [])
    t.equal(b.in(protocol, port, remote), 'no-mapping', `${protocol}: gone at ${seconds} s`)
    t.equal(b.out(protocol, '192.168.1.3:2000', remote), port + 1, 'made anew with the next port')
  }
})

t.test('a mapping lives as long as its last session', async t => {
  const b = new TableBench()
  b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`)
  b.now += 200_000
  b.out('udp', '192.168.1.3:2000', `${OTHER}:53`)
  b.now += 100_000
  t.same(b.list(), ['udp 192.168.1.3:2000 = 3400 < 8.117.12.109:53 200s'])
  t.equal(b.in('udp', 3400, `${SERVER}:1200`), 'filtered', 'the filter has forgotten the first')
  t.equal(b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`), 3400)
})

t.test('TCP: established 7440 s, transitory 240 s (RFC 5382 REQ-5)', async t => {
  const REMOTE = `${SERVER}:1300`, HOST = '192.168.1.3:2600'
  const open = (): TableBench => {
    const b = new TableBench()
    b.out('tcp', HOST, REMOTE, 'SYN')
    b.in('tcp', 2401, REMOTE, 'SYN ACK')
    b.out('tcp', HOST, REMOTE, 'ACK')
    return b
  }
  const line = (text: string): string[] => [`tcp ${HOST} = 2401 < ${REMOTE} ${text}`]
  const b = open()
  t.same(b.list(), line('established 7440s'))
  b.now += 7_439_999
  t.equal(b.list().length, 1)
  b.now += 1
  t.equal(b.list().length, 0)
  t.equal(b.out('tcp', HOST, REMOTE, 'ACK'), 'no-session', 'a segment of a lapsed connection makes no mapping')

  const fin = open()
  fin.out('tcp', HOST, REMOTE, 'FIN ACK')
  t.same(fin.list(), line('closing 7440s'), 'closed by one side it is established still (RFC 5382 §5)')
  fin.in('tcp', 2401, REMOTE, 'FIN ACK')
  t.same(fin.list(), line('closed 240s'))
  t.equal(fin.out('tcp', HOST, REMOTE, 'ACK'), 2401, 'the last ACK passes')
  fin.now += 10_000
  t.equal(fin.out('tcp', HOST, REMOTE, 'SYN'), 2401, 'and so does a new connection')
  t.same(fin.list(), line('opening 240s'))
  fin.in('tcp', 2401, REMOTE, 'SYN ACK')
  t.same(fin.list(), line('established 7440s'))

  const reset = open()
  reset.in('tcp', 2401, REMOTE, 'RST')
  t.same(reset.list(), line('reset 240s'))
  reset.now += 240_000
  t.same(reset.list(), [])
  t.equal(reset.table.expire(reset.now + 250), true)
  t.same([reset.table.mappingCount, reset.table.sessionCount], [0, 0], 'released')
})

t.test('TCP: only a SYN begins a session (RFC 5382 REQ-2)', async t => {
  const b = new TableBench({ filtering: 'endpoint-independent' })
  for (const flags of ['ACK', 'FIN ACK', 'RST', 'SYN RST', 'PSH ACK']) t.equal(b.out('tcp', '192.168.1.3:2600', `${SERVER}:1300`, flags), 'no-session', flags)
  t.equal(b.table.mappingCount, 0, 'and no port is taken for others')
  t.equal(b.out('tcp', '192.168.1.3:2600', `${SERVER}:1300`, 'SYN'), 2401)
  t.equal(b.in('tcp', 2401, `${OTHER}:1300`, 'ACK'), 'no-session')
  t.equal(b.in('tcp', 2401, `${OTHER}:1300`, 'SYN'), '192.168.1.3:2600', 'a filter that lets anybody in')
})

t.test('a table that is full refuses new sessions and leaves nothing behind', async t => {
  const b = new TableBench({ limits: { sessions: 2 } })
  b.out('udp', '192.168.1.3:1', `${SERVER}:1`)
  b.out('udp', '192.168.1.3:1', `${SERVER}:2`)
  for (let port = 2; port < 200; port++) t.equal(b.out('udp', `192.168.1.3:${port}`, `${SERVER}:1`), 'table-full')
  t.equal(b.table.mappingCount, 1, 'no mapping without a session')
  t.equal(b.out('udp', '192.168.1.3:1', `${SERVER}:1`), 3400, 'known sessions go on')
  b.map('udp', 9, '192.168.1.3:9')
  t.equal(b.in('udp', 9, `${OTHER}:1`), 'table-full')
  b.now += 300_000
  b.table.expire(b.now + 250)
  t.equal(b.out('udp', '192.168.1.4:1', `${SERVER}:1`), 3401, 'not one port was lost')
})

t.test('no free port: known sessions go on, and a released port is given again', async t => {
  const b = new TableBench({ firstPort: { udp: 1024 } })
  const LOWEST = 1024
  for (let i = 0; i < 65536 - LOWEST; i++) b.out('udp', `192.168.1.${2 + (i >> 14)}:${1 + (i & 0x3fff)}`, `${SERVER}:1200`)
  t.equal(b.table.mappingCount, 64512)
  t.equal(b.out('udp', '192.168.1.99:1', `${SERVER}:1200`), 'no-free-port')
  t.equal(b.out('udp', '192.168.1.2:1', `${SERVER}:1200`), 1024)
  t.equal(b.table.mappingCount, 64512)
  b.now += 299_000
  b.out('udp', '192.168.1.2:1', `${SERVER}:1200`)
  b.now += 1_250
  let turns = 1
  while (!b.table.expire(b.now) && turns < 300) turns++
  t.equal(turns, 252, 'a turn removes 256 sessions and no more, so that none takes a millisecond')
  t.same([b.table.mappingCount, b.table.sessionCount], [1, 1])
  t.equal(b.out('udp', '192.168.1.99:1', `${SERVER}:1200`), 1025)
})

t.test('a session is never shared: two WAN ports of one host, one remote endpoint', async t => {
  // 192.168.1.3:2000 has a port for each remote address, and the filter lets anybody in.
  const b = new TableBench({ mapping: 'address-dependent', filtering: 'endpoint-independent' })
  const HOST = '192.168.1.3:2000'
  t.equal(b.out('udp', HOST, `${SERVER}:1200`), 3400)
  t.equal(b.out('udp', HOST, `${OTHER}:1200`), 3401)
  t.equal(b.in('udp', 3400, `${OTHER}:1200`), HOST, 'OTHER reaches it by the first port too')
  t.equal(b.out('udp', HOST, `${OTHER}:1200`), 3401, 'the answer leaves by OTHER\'s own port')
  b.now += 200_000
  t.equal(b.in('udp', 3400, `${OTHER}:1200`), HOST)
  b.now += 100_000
  b.table.expire(b.now + 250)
  t.same(b.list(), ['udp 192.168.1.3:2000 = 3400 < 8.117.12.109:1200 200s'], 'OTHER\'s own port has lapsed')
  t.equal(b.out('udp', '192.168.1.4:2000', `${OTHER}:1200`), 3402, 'another host takes the freed rows')
  t.equal(b.out('udp', HOST, `${OTHER}:1200`), 3403, 'and the first gets a port for OTHER anew, not another host\'s')
  t.equal(b.in('udp', 3403, `${OTHER}:1200`), HOST)
  t.same([b.table.mappingCount, b.table.sessionCount], [3, 3])
})

t.test('admits: as inbound, and nothing changes', async t => {
  const b = new TableBench()
  b.map('tcp', 5000, '192.168.1.11:1600')
  b.out('udp', '192.168.1.3:2000', `${SERVER}:1200`)
  const before = b.list()
  b.now += 1000
  const admits = (code: 1 | 2, port: number, remotePort: number, flags: number): boolean =>
    b.table.admits(code, WAN, port, parseIpv4(SERVER), remotePort, flags, b.now)
  t.ok(admits(2, 3400, 1200, 0), 'a known session')
  t.notOk(admits(2, 3400, 1201, 0))
  t.equal(b.table.failure, 'filtered')
  t.notOk(admits(2, 3401, 1200, 0))
  t.equal(b.table.failure, 'no-mapping')
  t.ok(admits(1, 5000, 1, 2), 'a SYN to a static mapping')
  t.notOk(admits(1, 5000, 1, 16))
  t.equal(b.table.failure, 'no-session')
  b.now -= 1000
  t.same(b.list(), before)
})

