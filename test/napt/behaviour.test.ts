// A router's description: what is read, and errors that name the field, what it holds and what is wanted.
import t from 'tap'
import { ConfigError, DEFAULT_BEHAVIOUR, parseBehaviour, parseRouterConfig, parseStaticMapping } from '../../napt/behaviour.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { CONFIG_104B } from './router-bench.js'

t.test('a whole description', async t => {
  const config = parseRouterConfig({
    ...CONFIG_104B,
    wan: { ...CONFIG_104B.wan, gateway: '202.204.16.1' },
    nat: { mapping: 'address-dependent', filtering: 'endpoint-independent', timeouts: { udp: 0.5 }, staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }], maximumSessions: 10 },
  })
  t.same(config, {
    name: '104b',
    lan: { interface: 'lan', prefix: { address: parseIpv4('192.168.1.1'), length: 24 } },
    wan: { interface: 'wan', address: parseIpv4('202.204.16.13'), gateway: parseIpv4('202.204.16.1') },
    nat: {
      ...DEFAULT_BEHAVIOUR, mapping: 'address-dependent', filtering: 'endpoint-independent', maximumSessions: 10,
      timeouts: { ...DEFAULT_BEHAVIOUR.timeouts, udp: 0.5 },
      staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: parseIpv4('192.168.1.11'), port: 1600 }],
    },
  })
  t.same(parseBehaviour({}), DEFAULT_BEHAVIOUR)
  t.notOk('gateway' in parseRouterConfig(CONFIG_104B).wan, 'a gateway is not needed')
  t.equal(parseBehaviour({ firstPort: { icmp: 0 } }).firstPort.icmp, 0, 'an ICMP identifier of 0 is one')
})

t.test('the defaults keep the RFCs\' minima', async t => {
  const { timeouts, mapping } = DEFAULT_BEHAVIOUR
  t.equal(mapping, 'endpoint-independent', 'RFC 4787 REQ-1')
  t.ok(timeouts.udp >= 120, 'RFC 4787 REQ-5')
  t.ok(timeouts.icmp >= 60, 'RFC 5508 REQ-2')
  t.ok(timeouts.tcpEstablished >= 7440 && timeouts.tcpTransitory >= 240, 'RFC 5382 REQ-5')
})

const { lan, wan } = CONFIG_104B
const with_ = (fields: object): unknown => ({ ...CONFIG_104B, ...fields })
const nat = (fields: object): unknown => with_({ nat: fields })
const mapping = (fields: object): unknown => nat({ staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600, ...fields }] })

const REFUSED: readonly (readonly [string, unknown, string])[] = [
  ['nothing', undefined, 'router missing; wanted are the fields name, lan, wan, nat'],
  ['a list', [], 'router is []; wanted are the fields name, lan, wan, nat'],
  ['no name', with_({ name: undefined }), 'router.name missing; a text is wanted'],
  ['an empty name', with_({ name: '' }), 'router.name is ""; a text is wanted'],
  ['no lan', with_({ lan: undefined }), 'router.lan missing; wanted are the fields interface, address'],
  ['lan is a text', with_({ lan: 'eth0' }), 'router.lan is "eth0"; wanted are the fields interface, address'],
  ['an interface that is a number', with_({ lan: { ...lan, interface: 3 } }), 'router.lan.interface is 3; a text is wanted'],
  ['a LAN address without a prefix', with_({ lan: { ...lan, address: '192.168.1.1' } }), "router.lan.address: '192.168.1.1' is not ADDRESS/LENGTH (such as 192.168.1.1/24)"],
  ['a WAN address with a prefix', with_({ wan: { ...wan, address: '202.204.16.13/24' } }), "router.wan.address: '202.204.16.13/24' is not an IPv4 address (four numbers of 0 to 255, such as 192.168.1.11)"],
  ['a wrong gateway', with_({ wan: { ...wan, gateway: 'here' } }), "router.wan.gateway: 'here' is not an IPv4 address"],
  ['one interface for both', with_({ wan: { ...wan, interface: 'lan' } }), "router: lan and wan are the same interface 'lan'; a router needs two"],
  ['a WAN address in the LAN', with_({ wan: { ...wan, address: '192.168.1.77' } }), "router.wan.address 192.168.1.77 lies in the LAN's network 192.168.1.1/24"],
  ['itself as gateway', with_({ wan: { ...wan, gateway: '202.204.16.13' } }), "router.wan.gateway is the router's own WAN address 202.204.16.13"],
  ['an unknown field', with_({ wann: 1 }), 'router.wann is not known here; known are name, lan, wan, nat'],
  ['an unknown field deeper', nat({ filter: 'none' }), 'router.nat.filter is not known here; known are mapping, filtering, portAllocation, firstPort, timeouts, staticMappings, maximumSessions'],
  ['an unknown time-out', nat({ timeouts: { tcp: 1 } }), 'router.nat.timeouts.tcp is not known here; known are udp, icmp, tcpTransitory, tcpEstablished'],
  ['an unknown protocol', nat({ firstPort: { sctp: 1 } }), 'router.nat.firstPort.sctp is not known here; known are tcp, udp, icmp'],
  ['a mapping of no kind', nat({ mapping: 'symmetric' }), 'router.nat.mapping is "symmetric"; wanted is one of endpoint-independent, address-dependent, address-and-port-dependent'],
  ['a filter of no kind', nat({ filtering: 1 }), 'router.nat.filtering is 1; wanted is one of endpoint-independent'],
  ['a policy of no kind', nat({ portAllocation: 'random' }), 'router.nat.portAllocation is "random"; wanted is one of sequential, preserve'],
  ['port 0', nat({ firstPort: { udp: 0 } }), 'router.nat.firstPort.udp is 0; a number from 1 to 65535 is wanted'],
  ['half a port', nat({ firstPort: { tcp: 7000.5 } }), 'router.nat.firstPort.tcp is 7000.5; a whole number is wanted'],
  ['a port as text', nat({ firstPort: { tcp: '7000' } }), 'router.nat.firstPort.tcp is "7000"; a number from 1 to 65535 is wanted'],
  ['no time at all', nat({ timeouts: { udp: 0 } }), 'router.nat.timeouts.udp is 0; a number from 0.001 to 2592000 is wanted'],
  ['a time that is no number', nat({ timeouts: { udp: NaN } }), 'router.nat.timeouts.udp is null; a number from'],
  ['no sessions', nat({ maximumSessions: 0 }), 'router.nat.maximumSessions is 0; a number from 1 to 16777216 is wanted'],
  ['static mappings that are no list', nat({ staticMappings: {} }), 'router.nat.staticMappings: a list is wanted, such as [{ protocol: tcp, wanPort: 5000'],
  ['a static mapping without a port', mapping({ port: undefined }), 'router.nat.staticMappings[0].port missing; a number from 1 to 65535 is wanted'],
  ['a static mapping of ICMP', mapping({ protocol: 'icmp' }), 'router.nat.staticMappings[0].protocol is "icmp"; wanted is one of tcp, udp'],
  ['a static mapping to a name', mapping({ address: 'host' }), "router.nat.staticMappings[0].address: 'host' is not an IPv4 address"],
  ['a static mapping with more', mapping({ note: '' }), 'router.nat.staticMappings[0].note is not known here; known are protocol, wanPort, address, port'],
]

t.test('errors', async t => {
  for (const [name, value, message] of REFUSED) {
    try {
      parseRouterConfig(value)
      t.fail(`${name}: accepted`)
    } catch (error) {
      t.ok(error instanceof ConfigError && error.message.startsWith(message), `${name}: ${String(error)}`)
    }
  }
  t.throws(() => parseStaticMapping(null), /^mapping is null; wanted are the fields protocol, wanPort, address, port$/)
  t.throws(() => parseRouterConfig({}, 'bench.routers[1]'), /^bench\.routers\[1\]\.lan missing/, 'named as the caller calls it')
})
