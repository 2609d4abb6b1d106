// Descriptions: what is read, and what is said of wrong ones.
import t from 'tap'
import { BenchError, describedBench, discovery, fig1, readBench, readBenchFile } from '../../lab/index.js'
import { planBench } from '../../lab/bench/plan.js'

const host = { network: 'wan', address: '10.0.0.1/24' }
const good = { name: 'x', networks: { wan: {} }, hosts: { a: host, b: { network: 'wan', address: '10.0.0.2/24' } } }

function problemOf(value: unknown): string {
  try {
    readBench(value)
  } catch (error) {
    if (error instanceof BenchError) return error.message
    throw error
  }
  return 'none'
}

t.test('good ones', async t => {
  t.same(readBench(fig1), fig1)
  t.same(readBench(discovery), discovery)
  t.same(readBench(good), good)
  t.equal(describedBench('fig1').name, 'fig1')
  t.equal(describedBench('discovery').name, 'discovery')
})

t.test('a YAML file and a JSON file', async t => {
  const yaml = `
name: x
networks:
  wan:
hosts:
  a: { network: wan, address: 10.0.0.1/24 }
  b: { network: wan, address: 10.0.0.2/24 }
`
  const folder = t.testdir({ 'good.yaml': yaml, 'good.json': JSON.stringify(good), 'bad.yaml': 'name: x\n  y: [' })
  t.same(readBenchFile(`${folder}/good.yaml`), good)
  t.same(describedBench(`${folder}/good.json`), good)
  t.throws(() => readBenchFile(`${folder}/bad.yaml`), { name: 'BenchError', exitCode: 2, message: /bad\.yaml cannot be read: .*line 1/s })
  t.throws(() => readBenchFile(`${folder}/none.yaml`), { message: /none\.yaml cannot be read: ENOENT/ })
  t.throws(() => describedBench('fig99'), { message: /there is no bench 'fig99' \(known: fig1, .*discovery/ })
})

const WRONG: readonly (readonly [string, unknown, RegExp])[] = [
  ['no object', 'fig1', /'fig1' is not a set of fields \(name, /],
  ['a list', { ...good, hosts: [host] }, /hosts: .* is not a set of named hosts/],
  ['no name', { ...good, name: undefined }, /name: is missing/],
  ['a number for a name', { ...good, name: 7 }, /name: 7 is not text: put it in quotes/],
  ['a name with a slash', { ...good, name: '../x' }, /name: '..\/x' is not a name/],
  ['a name too long', { ...good, hosts: { ['a'.repeat(32)]: host } }, /hosts\.a{32}: .* is not a name/],
  ['an unknown field', { ...good, host: {} }, /host: there is no such field \(known: name, ipv6, networks, hosts, routers\)/],
  ['an address out of range', { ...good, hosts: { a: { ...host, address: '10.0.0.256/24' } } }, /hosts\.a\.address: '10\.0\.0\.256' is not an IPv4 address/],
  ['a length out of range', { ...good, hosts: { a: { ...host, address: '10.0.0.1/33' } } }, /hosts\.a\.address: .*not ADDRESS\/LENGTH/],
  ['a network that is not there', { ...good, hosts: { a: { ...host, network: 'lan' } } }, /hosts\.a\.network: there is no network 'lan' \(known: wan\)/],
  ['a network named like a member of every object', { ...good, hosts: { a: { ...host, network: 'constructor' } } }, /there is no network 'constructor'/],
  ['a network without ends', { ...good, networks: { wan: {}, lan: {} } }, /networks\.lan: no host and no router is on it/],
  ['an address twice', { ...good, hosts: { a: host, b: host } }, /hosts\.b\.address: hosts\.a has 10\.0\.0\.1 already/],
  ['an address twice, one of several', { ...good, hosts: { a: host, b: { ...host, address: ['10.0.0.2/24', '10.0.0.1'] } } }, /hosts\.b\.address: hosts\.a has 10\.0\.0\.1 already/],
  ['an address twice on one host', { ...good, hosts: { a: { ...host, address: ['10.0.0.1', '10.0.0.1'] } } }, /hosts\.a\.address: 10\.0\.0\.1 is there twice/],
  ['a wrong one of several', { ...good, hosts: { a: { ...host, address: ['10.0.0.1/24', 7] } } }, /hosts\.a\.address\[1\]: 7 is not text/],
  ['no address at all', { ...good, hosts: { a: { ...host, address: [] } } }, /hosts\.a\.address: is an empty list/],
  ['a gateway in none of several prefixes', { ...good, hosts: { a: { ...host, address: ['10.0.0.1/24', '10.0.2.1/24'], gateway: '10.0.1.1' } } }, /10\.0\.1\.1 is not in the host's own prefix/],
  ['its own second address for a gateway', { ...good, hosts: { a: { ...host, address: ['10.0.0.1/24', '10.0.0.3/24'], gateway: '10.0.0.3' } } }, /hosts\.a\.gateway: is the host itself/],
  ['a gateway elsewhere', { ...good, hosts: { a: { ...host, gateway: '10.0.1.1' } } }, /hosts\.a\.gateway: 10\.0\.1\.1 is not in the host's own prefix/],
  ['a gateway that is nobody', { ...good, hosts: { a: { ...host, gateway: '10.0.0.9' } } }, /hosts\.a\.gateway: nobody on wan has the address 10\.0\.0\.9/],
  ['itself for a gateway', { ...good, hosts: { a: { ...host, gateway: '10.0.0.1' } } }, /hosts\.a\.gateway: is the host itself/],
  ['a gateway on a flat network', { ...good, hosts: { a: { network: 'wan', address: '10.0.0.1', gateway: '10.0.0.2' } } }, /give it a prefix/],
  ['an MTU too small', { ...good, networks: { wan: { mtu: 20 } } }, /networks\.wan\.mtu: 20 is not a whole number of 68 to 65535/],
  ['offloads of a kind', { ...good, networks: { wan: { offloads: true } } }, /networks\.wan\.offloads: true is neither on nor off/],
  ['a router named like a host', { ...good, networks: { wan: {}, lan: {} }, routers: { a: { lan: { network: 'lan', address: '10.1.0.1' }, wan: { network: 'wan', address: '10.0.0.3' } } } },
    /routers\.a: a host has this name already/],
  ['a router with one network', { ...good, routers: { r: { lan: { network: 'wan', address: '10.0.0.8' }, wan: { network: 'wan', address: '10.0.0.9' } } } },
    /routers\.r: both sides are on the same network/],
  ['a router with one side', { ...good, routers: { r: { lan: { network: 'wan', address: '10.0.0.8' } } } }, /routers\.r\.wan: nothing is not a set of fields/],
  ['nobody', { ...good, hosts: {} }, /hosts: there is neither a host nor a router/],
]

t.test('wrong ones', async t => {
  for (const [what, value, message] of WRONG) t.match(problemOf(value), message, what)
  t.match(problemOf({ name: '', networks: {}, hosts: { a: { address: 'x' } } }), /has 3 problems:\n {2}name.*\n {2}hosts\.a\.network.*\n {2}hosts\.a\.address/, 'all of them at once')
})

t.test('the behaviour of routers is read by whom it concerns', async t => {
  const readNat = (nat: unknown): unknown => {
    if (nat !== 'full cone') throw new Error(`${String(nat)} is no behaviour`)
    return { mapping: 'endpoint-independent' }
  }
  const routers = (nat: string): unknown => ({ ...good, networks: { wan: {}, lan: {} },
    routers: { r: { lan: { network: 'lan', address: '10.1.0.1' }, wan: { network: 'wan', address: '10.0.0.3' }, nat } } })
  t.same(readBench(routers('full cone'), { readNat }).routers?.r.nat, { mapping: 'endpoint-independent' })
  t.throws(() => readBench(routers('magic'), { readNat, source: 'x.yaml' }), { message: /description x\.yaml has a problem:\n {2}routers\.r\.nat: magic is no behaviour/ })
})

t.test('plans', async t => {
  const plan = planBench(fig1)
  t.same(plan, planBench(fig1), 'the same each time')
  t.same(plan.namespaces.map(({ name, kind }) => `${kind} ${name}`),
    ['host 51', 'host 101', 'host 102', 'host 103', 'router 104a', 'router 104b', 'switch switch.wan'], 'two ends are a cable, three a switch')
  const macs = plan.namespaces.flatMap(({ interfaces }) => interfaces.map(({ mac }) => mac))
  t.equal(new Set(macs).size, macs.length, 'no MAC address twice')
  t.ok(macs.every(mac => mac.startsWith('02:')), 'locally administered, unicast')
  t.same(plan.cables.at(-1), [{ namespace: '103', interface: 'eth0' }, { namespace: '104b', interface: 'lan' }])
})

t.test('plans with TAPs', async t => {
  const tap = { device: 'tap' as const }, side = (network: string, address: string): { network: string, address: string } => ({ network, address })
  const plan = planBench(readBench({
    name: 'carrier', networks: { home: {}, middle: {}, wan: {} },
    hosts: { inside: { network: 'home', address: '192.168.1.3/24', gateway: '192.168.1.1' }, a: { network: 'wan', address: '130.74.23.6' }, b: { network: 'wan', address: '130.74.23.7' } },
    routers: {
      near: { ...tap, lan: side('home', '192.168.1.1/24'), wan: side('middle', '100.64.0.2') },
      far: { ...tap, lan: side('middle', '100.64.0.1/24'), wan: side('wan', '4.17.168.2') },
    },
  }))
  t.same(plan.taps.map(({ router, end }) => `${router.namespace} ${router.interface} = ${end.namespace} ${end.interface}`),
    ['near lan = inside eth0', 'near wan = switch.middle port1', 'far lan = switch.middle port2', 'far wan = switch.wan port3'], 'a host has the TAP itself; two routers need a switch between them')
  t.same(plan.cables.map(ends => ends.map(({ namespace }) => namespace)), [['a', 'switch.wan'], ['b', 'switch.wan']])
  t.match(problemOf({ ...good, networks: { wan: {}, lan: {} }, routers: { r: { device: 'carrier pigeon', lan: side('lan', '10.1.0.1'), wan: side('wan', '10.0.0.3') } } }),
    /routers\.r\.device: 'carrier pigeon' is not one of packet, libpcap, tap/)
})
