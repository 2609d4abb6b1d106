// A router's description: what is read, and errors that name the field, what it holds and what is wanted.
import t from 'tap'
import { DEFAULT_BEHAVIOUR, type PerProtocol } from '../../../napt/behaviour/behaviour.js'
import { ConfigError } from '../../../napt/fields.js'
import { parseBehaviour, parseStaticMapping } from '../../../napt/behaviour/read-behaviour.js'
import { parseRouterConfig, wanAddressesOf } from '../../../napt/router-config.js'
import { formatIpv4, parseIpv4 } from '../../../napt/wire/address.js'
import { CONFIG_104B } from '../router-bench.js'

const all = <T>(value: T): PerProtocol<T> => ({ tcp: value, udp: value, icmp: value })

t.test('a whole description', async t => {
  const config = parseRouterConfig({
    ...CONFIG_104B,
    wan: { ...CONFIG_104B.wan, gateway: '202.204.16.1' },
    nat: { mapping: 'address-dependent', filtering: 'endpoint-independent', timeouts: { udp: 0.5 }, staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }], limits: { sessions: 10 } },
    seed: 7,
  })
  t.same(config, {
    name: '104b',
    lan: { interface: 'lan', prefix: { address: parseIpv4('192.168.1.1'), length: 24 } },
    wan: { interface: 'wan', address: parseIpv4('202.204.16.13'), gateway: parseIpv4('202.204.16.1') },
    nat: {
      ...DEFAULT_BEHAVIOUR, mapping: all('address-dependent'), filtering: all('endpoint-independent'), limits: { ...DEFAULT_BEHAVIOUR.limits, sessions: 10 },
      timeouts: { ...DEFAULT_BEHAVIOUR.timeouts, udp: 0.5 },
      staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: parseIpv4('192.168.1.11'), port: 1600 }],
    },
    seed: 7,
  })
  t.same(parseBehaviour({}), DEFAULT_BEHAVIOUR)
  t.notOk('gateway' in parseRouterConfig(CONFIG_104B).wan, 'a gateway is not needed')
  t.equal(parseBehaviour({ firstPort: { icmp: 0 } }).firstPort.icmp, 0, 'an ICMP identifier of 0 is one')
})

t.test('the defaults keep the RFCs\' minima', async t => {
  const { timeouts, mapping, hairpinning, unsolicitedSyn } = DEFAULT_BEHAVIOUR
  t.same(mapping, all('endpoint-independent'), 'RFC 4787 REQ-1')
  t.equal(hairpinning, 'external-source', 'RFC 4787 REQ-9')
  t.ok(unsolicitedSyn.hold >= 6, 'RFC 5382 REQ-4')
  t.ok(timeouts.udp >= 120, 'RFC 4787 REQ-5')
  t.ok(timeouts.icmp >= 60, 'RFC 5508 REQ-2')
  t.ok(timeouts.tcpEstablished >= 7440 && timeouts.tcpOpening >= 240, 'RFC 5382 REQ-5')
})

const { lan, wan } = CONFIG_104B
const with_ = (fields: object): unknown => ({ ...CONFIG_104B, ...fields })
const nat = (fields: object): unknown => with_({ nat: fields })
const mapping = (fields: object): unknown => nat({ staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600, ...fields }] })

const REFUSED: readonly (readonly [string, unknown, string])[] = [
  ['nothing', undefined, 'router missing; wanted are the fields name, lan, wan, nat, seed'],
  ['a list', [], 'router is []; wanted are the fields name, lan, wan, nat, seed'],
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
  ['an unknown field', with_({ wann: 1 }), 'router.wann is not known here; known are name, lan, wan, nat, seed'],
  ['an unknown field deeper', nat({ filter: 'none' }), 'router.nat.filter is not known here; known are preset, translation, mapping, filtering, pool, '],
  ['an unknown time-out', nat({ timeouts: { tcp: 1 } }), 'router.nat.timeouts.tcp is not known here; known are udp, icmp, tcpOpening, tcpEstablished, tcpClosing, tcpReset, other'],
  ['an unknown protocol', nat({ firstPort: { sctp: 1 } }), 'router.nat.firstPort.sctp is not known here; known are tcp, udp, icmp'],
  ['a mapping of no kind', nat({ mapping: 'symmetric' }), 'router.nat.mapping is "symmetric"; wanted is one of endpoint-independent, address-dependent, address-and-port-dependent'],
  ['a filter of no kind', nat({ filtering: 1 }), 'router.nat.filtering is 1; wanted is one of endpoint-independent'],
  ['a policy of no kind', nat({ portAllocation: 'lucky' }), 'router.nat.portAllocation is "lucky"; wanted is one of preserve, sequential, random'],
  ['port 0', nat({ firstPort: { udp: 0 } }), 'router.nat.firstPort.udp is 0; a number from 1 to 65535 is wanted'],
  ['half a port', nat({ firstPort: { tcp: 7000.5 } }), 'router.nat.firstPort.tcp is 7000.5; a whole number is wanted'],
  ['a port as text', nat({ firstPort: { tcp: '7000' } }), 'router.nat.firstPort.tcp is "7000"; a number from 1 to 65535 is wanted'],
  ['no time at all', nat({ timeouts: { udp: 0 } }), 'router.nat.timeouts.udp is 0; a number from 0.001 to 2592000 is wanted'],
  ['a time that is no number', nat({ timeouts: { udp: NaN } }), 'router.nat.timeouts.udp is null; a number from'],
  ['no sessions', nat({ limits: { sessions: 0 } }), 'router.nat.limits.sessions is 0; a number from 1 to 16777216 is wanted'],
  ['static mappings that are no list', nat({ staticMappings: {} }), 'router.nat.staticMappings: a list is wanted, such as [{ protocol: tcp, wanPort: 5000'],
  ['a static mapping without a port', mapping({ port: undefined }), 'router.nat.staticMappings[0].port missing; a number from 1 to 65535 is wanted'],
  ['a static mapping of ICMP', mapping({ protocol: 'icmp' }), 'router.nat.staticMappings[0].protocol is "icmp"; wanted is one of tcp, udp'],
  ['a static mapping to a name', mapping({ address: 'host' }), "router.nat.staticMappings[0].address: 'host' is not an IPv4 address"],
  ['a static mapping with more', mapping({ note: '' }), 'router.nat.staticMappings[0].note is not known here; known are protocol, wanAddress, wanPort, address, port'],
  ['a preset of no name', nat({ preset: 'round-cone' }), 'router.nat.preset is "round-cone"; wanted is one of rfc-recommended, full-cone'],
  ['a preset of no name alone', with_({ nat: 'round-cone' }), 'router.nat is "round-cone"; wanted is one of rfc-recommended, full-cone'],
  ['a list of mappings', nat({ mapping: ['endpoint-independent'] }), 'router.nat.mapping is ["endpoint-independent"]; wanted is one of endpoint-independent'],
  ['a mapping of SCTP', nat({ mapping: { sctp: 'endpoint-independent' } }), 'router.nat.mapping.sctp is not known here; known are tcp, udp, icmp'],
  ['a mapping of no kind for one protocol', nat({ mapping: { udp: 'cone' } }), 'router.nat.mapping.udp is "cone"; wanted is one of endpoint-independent'],
  ['a pool that is no list', nat({ pool: '202.204.16.14' }), 'router.nat.pool: a list is wanted, such as [202.204.16.13, 202.204.16.14]'],
  ['a multicast pool', nat({ pool: ['224.0.0.1'] }), 'router.nat.pool[0]: 224.0.0.1 is no address that a host can have'],
  ['a pooling of no kind', nat({ pooling: 'both' }), 'router.nat.pooling is "both"; wanted is one of paired, arbitrary'],
  ['a translation of no kind', nat({ translation: 'none' }), 'router.nat.translation is "none"; wanted is one of ports, addresses'],
  ['a collision of no kind', nat({ portCollision: 'evict' }), 'router.nat.portCollision is "evict"; wanted is one of sequential, random, refuse'],
  ['a range backwards', nat({ portRange: { from: 2000, to: 1000 } }), 'router.nat.portRange ends (1000) before it begins (2000)'],
  ['a flag in words', nat({ portParity: 'yes' }), 'router.nat.portParity is "yes"; wanted is true or false'],
  ['a block too large', nat({ portBlock: 65536 }), 'router.nat.portBlock is 65536; a number from 0 to 65535 is wanted'],
  ['a rest of days', nat({ portReuseDelay: 90_000 }), 'router.nat.portReuseDelay is 90000; a number from 0 to 86400 is wanted'],
  ['hairpinning on', nat({ hairpinning: true }), 'router.nat.hairpinning is true; wanted is one of external-source, internal-source, off'],
  ['a refresh of no kind', nat({ refresh: { udp: 'never' } }), 'router.nat.refresh.udp is "never"; wanted is one of both, outbound, inbound'],
  ['a SYN held too long', nat({ unsolicitedSyn: { hold: 601 } }), 'router.nat.unsolicitedSyn.hold is 601; a number from 0 to 600 is wanted'],
  ['a SYN answered otherwise', nat({ unsolicitedSyn: { answer: 'maybe' } }), 'router.nat.unsolicitedSyn.answer is "maybe"; wanted is one of unreachable, reset, none'],
  ['segments that no host need announce', nat({ maximumSegment: 535 }), 'router.nat.maximumSegment is 535; wanted is 0, or at least 536'],
  ['other protocols of no kind', nat({ otherProtocols: 'pass' }), 'router.nat.otherProtocols is "pass"; wanted is one of drop, by-address'],
  ['fragments of no kind', nat({ fragments: 'pass' }), 'router.nat.fragments is "pass"; wanted is one of any-order, in-order, drop'],
  ['an unknown limit', nat({ limits: { hosts: 1 } }), 'router.nat.limits.hosts is not known here; known are sessions, mappingsPerHost'],
  ['a one-to-one without its host', nat({ oneToOne: [{ wanAddress: '202.204.16.14' }] }), 'router.nat.oneToOne[0].address missing; a text is wanted'],
  ['a seed that is text', with_({ seed: 'x' }), 'router.seed is "x"; a number from 0 to 4294967295 is wanted'],
]

const symmetric = { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' }
const basic = { translation: 'addresses', pool: ['202.204.16.14'] }
const oneToOne = (wanAddress: string, address: string): object => ({ wanAddress, address })

const CONTRADICTIONS: readonly (readonly [string, unknown, RegExp])[] = [
  ['overloading behind a wide mapping', nat({ portOverloading: true }), /^router\.nat\.portOverloading: true needs mapping .* mapping\.tcp is endpoint-independent: .*whose a packet is/],
  ['overloading with a wide filter', nat({ ...symmetric, filtering: { udp: 'address-dependent' }, portOverloading: true }), /^router\.nat\.portOverloading: true needs filtering .* filtering\.udp is address-dependent/],
  ['a preset that overloads, with a wider mapping', nat({ preset: 'linux-masquerade', mapping: 'endpoint-independent' }), /portOverloading: true needs mapping/],
  ['a block larger than the range', nat({ portBlock: 200, portRange: { from: 2000, to: 2099 } }), /^router\.nat\.portBlock: a block of 200 ports does not fit in portRange, of which blocks may have 2000 to 2099/],
  ['a block larger than what is not well-known', nat({ portBlock: 64_513 }), /^router\.nat\.portBlock: a block of 64513 ports does not fit in portRange, of which blocks may have 1024 to 65535/],
  ['blocks that end before the first host', nat({ portBlock: 30_000 }), /^router\.nat\.portBlock: the WAN addresses have 2 blocks of 30000 ports, counted from 0, and the LAN's first host 192\.168\.1\.2 would have number 2/],
  ['a block on any address', nat({ portBlock: 200, pooling: 'arbitrary' }), /^router\.nat\.portBlock: a host's block is on one fixed WAN address/],
  ['a block in a LAN without hosts', with_({ lan: { ...lan, address: '192.168.1.1/32' }, nat: { portBlock: 200 } }), /^router\.nat\.portBlock: the LAN 192\.168\.1\.1\/32 has no room for hosts/],
  ['a first port below the range', nat({ firstPort: { udp: 3400 }, portRange: { from: 10_000 } }), /^router\.nat\.firstPort\.udp: 3400 lies outside of portRange 10000 to 65535/],
  ['addresses without addresses', nat({ translation: 'addresses' }), /^router\.nat\.translation: addresses needs WAN addresses to give to hosts/],
  ['addresses with random ports', nat({ ...basic, portAllocation: 'random' }), /^router\.nat\.portAllocation: translation addresses leaves ports as they are/],
  ['addresses with a port range', nat({ ...basic, portRange: { from: 1024 } }), /^router\.nat\.portRange: translation addresses leaves ports as they are/],
  ['addresses with blocks', nat({ ...basic, portBlock: 100 }), /^router\.nat\.portBlock: translation addresses/],
  ['addresses with overloading', nat({ ...basic, ...symmetric, portOverloading: true }), /^router\.nat\.portOverloading: translation addresses/],
  ['addresses in turn', nat({ ...basic, pooling: 'arbitrary' }), /^router\.nat\.pooling: translation addresses gives a host one WAN address/],
  ['a filter for what does not pass', nat({ hairpinning: 'off', filterHairpinned: true }), /^router\.nat\.filterHairpinned: true says how hairpinned packets are filtered/],
  ['an address twice in the pool', nat({ pool: ['202.204.16.14', '202.204.16.15', '202.204.16.14'] }), /^router\.nat\.pool\[2\]: 202\.204\.16\.14 is in the pool already/],
  ['a pool in the LAN', nat({ pool: ['192.168.1.77'] }), /^router\.nat\.pool\[0\] 192\.168\.1\.77 lies in the LAN's network 192\.168\.1\.1\/24/],
  ['the gateway in the pool', with_({ wan: { ...wan, gateway: '202.204.16.1' }, nat: { pool: ['202.204.16.1'] } }), /^router\.nat\.pool\[0\] 202\.204\.16\.1 is the gateway's address/],
  ['one address to two hosts', nat({ oneToOne: [oneToOne('202.204.16.14', '192.168.1.3'), oneToOne('202.204.16.14', '192.168.1.4')] }), /^router\.nat\.oneToOne\[1\]\.wanAddress: 202\.204\.16\.14 belongs to another host already/],
  ['two addresses to one host', nat({ oneToOne: [oneToOne('202.204.16.14', '192.168.1.3'), oneToOne('202.204.16.15', '192.168.1.3')] }), /^router\.nat\.oneToOne\[1\]\.address: 192\.168\.1\.3 has another WAN address already/],
  ['one-to-one out of the pool', nat({ pool: ['202.204.16.14'], oneToOne: [oneToOne('202.204.16.14', '192.168.1.3')] }), /^router\.nat\.oneToOne\[0\]\.wanAddress: 202\.204\.16\.14 is in the pool/],
  ['one-to-one with the router\'s own', nat({ oneToOne: [oneToOne('202.204.16.13', '192.168.1.3')] }), /^router\.nat\.oneToOne\[0\]\.wanAddress 202\.204\.16\.13 is the router's own address/],
  ['one-to-one to a stranger', nat({ oneToOne: [oneToOne('202.204.16.14', '192.168.2.3')] }), /^router\.nat\.oneToOne\[0\]\.address 192\.168\.2\.3 is no host of the LAN 192\.168\.1\.1\/24/],
  ['one-to-one to the router', nat({ oneToOne: [oneToOne('202.204.16.14', '192.168.1.1')] }), /is no host of the LAN/],
  ['one-to-one to everybody', nat({ oneToOne: [oneToOne('202.204.16.14', '192.168.1.255')] }), /is no host of the LAN/],
  ['a static mapping elsewhere', mapping({ wanAddress: '202.204.16.99' }), /^router\.nat\.staticMappings\[0\]\.wanAddress 202\.204\.16\.99 is not the router's; it has 202\.204\.16\.13/],
  ['a WAN port mapped twice, once by name', nat({ staticMappings: [
    { protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1 }, { protocol: 'tcp', wanAddress: '202.204.16.13', wanPort: 5000, address: '192.168.1.11', port: 2 },
  ] }), /^router\.nat\.staticMappings\[1\]: WAN port 5000\/tcp of 202\.204\.16\.13 is mapped already/],
]

t.test('contradictions are refused with the reason', async t => {
  for (const [name, value, message] of CONTRADICTIONS) {
    t.throws(() => parseRouterConfig(value), { constructor: ConfigError, message }, name)
  }
})

t.test('what only looks like a contradiction', async t => {
  const read = (fields: object): unknown => parseRouterConfig(nat(fields))
  t.doesNotThrow(() => read(basic), 'a pool of one address serves one host at a time')
  t.doesNotThrow(() => read({ translation: 'addresses', oneToOne: [oneToOne('202.204.16.14', '192.168.1.3')] }), 'one-to-one alone')
  t.doesNotThrow(() => read({ ...basic, preset: 'home-gateway' }), 'what the preset says of ports is not said here')
  t.doesNotThrow(() => read({ ...symmetric, mapping: { tcp: 'address-and-port-dependent', udp: 'address-and-port-dependent' }, portOverloading: true }), 'ICMP has no ports to overload')
  t.doesNotThrow(() => read({ portBlock: 30_000, pool: ['202.204.16.14', '202.204.16.15'] }), 'the pool has a block for the first host')
  t.doesNotThrow(() => read({ hairpinning: 'off' }))
  t.doesNotThrow(() => read({ preset: 'worst-case', hairpinning: 'off' }), 'the filter for hairpinned packets is the preset\'s word')
  t.doesNotThrow(() => read({ unsolicitedSyn: { hold: 0 } }), 'a NAT in the field may')
  t.doesNotThrow(() => read({ keepWellKnownPorts: true, portRange: { from: 2000 } }), 'falls back')
  t.doesNotThrow(() => read({ pool: ['202.204.16.13', '202.204.16.14'] }), 'the router\'s own address in the pool')
})

t.test('a preset with what differs from it', async t => {
  const { timeouts, mapping: { udp } } = parseBehaviour({ preset: 'linux-masquerade', timeouts: { udp: 30 } })
  t.match({ timeouts, udp }, { timeouts: { udp: 30, tcpEstablished: 432_000 }, udp: 'address-and-port-dependent' })
  t.same(parseBehaviour({ mapping: { udp: 'address-dependent' } }).mapping, { ...all('endpoint-independent'), udp: 'address-dependent' })
  t.same(parseBehaviour({}, 'nat', parseBehaviour('symmetric')), parseBehaviour('symmetric'), 'what is not said is as in the base')
  t.same(parseBehaviour({ preset: 'full-cone' }, 'nat', parseBehaviour('symmetric')), parseBehaviour('full-cone'), 'a preset stands in its place')
  t.same(parseBehaviour({ portRange: { from: 40_000, to: 50_000 } }).firstPort, { tcp: 40_000, udp: 40_000, icmp: 0 }, 'a first port that was not said is in the range')
})

t.test('the WAN addresses of a router', async t => {
  const addresses = (fields: object): string[] => wanAddressesOf(parseRouterConfig(nat(fields))).map(formatIpv4)
  t.same(addresses({}), ['202.204.16.13'])
  t.same(addresses({ pool: ['202.204.16.14', '202.204.16.13'], oneToOne: [oneToOne('202.204.16.20', '192.168.1.3')] }), ['202.204.16.13', '202.204.16.14', '202.204.16.20'])
})

t.test('errors', async t => {
  for (const [name, value, message] of REFUSED) {
    try {
      parseRouterConfig(value)
      t.fail(`${name}: accepted`)
    } catch (error) {
      t.ok(error instanceof ConfigError && error.message.startsWith(message), `${name}: ${String(error)}`)
    }
  }
  t.throws(() => parseStaticMapping(null), /^mapping is null; wanted are the fields protocol, wanAddress, wanPort, address, port$/)
  t.throws(() => parseRouterConfig({}, 'bench.routers[1]'), /^bench\.routers\[1\]\.lan missing/, 'named as the caller calls it')
})
