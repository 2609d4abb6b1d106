// A bench that is up is what its description says.
import t from 'tap'
import { needsNamespaces } from '../prerequisites.js'
import { connect } from 'node:net'
import { once } from 'node:events'
import { discovery, fig1, openBench, type AttachedBench, type BenchDescription, type RouterConfig } from '../../lab/index.js'
import { ask, machineNamespaces, run, STAND_IN, script } from './helpers.js'
import type { Look } from './look.js'

const options = { routerScript: STAND_IN }

async function listening(bench: AttachedBench, host: string, address: string, port: number): Promise<void> {
  const server = bench.spawn(host, process.execPath, [script('talk'), 'answer', address, String(port)])
  await once(server.stdout, 'data')
}

t.test('Fig. 1', needsNamespaces, async t => {
  const before = machineNamespaces()
  await using bench = await openBench(fig1, { ...options, seed: 7, routerSettings: name => ({ folder: `/somewhere/${name}` }) })
  t.comment(`milliseconds: ${JSON.stringify(bench.milliseconds)}`)
  t.same(machineNamespaces(), before, 'the machine has no namespace more')

  await t.test('hosts', async t => {
    const link = { mtu: 1500, operational: true, offloads: [] }
    t.same(await ask<Look>(bench, '101', 'look'), {
      links: { eth0: { mac: '02:00:00:01:00:02', ...link } },
      addresses: ['127.0.0.1/8', '130.74.23.6/32'],
      routes: ['0.0.0.0/0 via 0.0.0.0 dev eth0'],
      forwarding: '0',
    })
    t.same(await ask<Look>(bench, '102', 'look'), {
      links: { eth0: { mac: '02:00:00:02:00:01', ...link } },
      addresses: ['127.0.0.1/8', '192.168.1.11/24'],
      routes: ['0.0.0.0/0 via 192.168.1.1 dev eth0', '192.168.1.0/24 via 0.0.0.0 dev eth0'],
      forwarding: '0',
    })
    t.same((await ask<Look>(bench, '103', 'look')).addresses, ['127.0.0.1/8', '192.168.1.3/24'])
  })

  await t.test('a router and a switch: interfaces, and a kernel that takes part in nothing', async t => {
    const router = await ask<Look>(bench, '104a', 'look')
    t.match(router, { links: { lan: { mac: '02:00:00:02:00:02', operational: true }, wan: { mac: '02:00:00:01:00:03', operational: true } } })
    t.same(Object.keys(router.links).sort(), ['lan', 'wan'])
    t.same([router.addresses, router.routes, router.forwarding], [[], [], '0'])
    const wire = await ask<Look>(bench, 'switch.wan', 'look')
    t.same(Object.keys(wire.links).sort(), ['bridge', 'port1', 'port2', 'port3', 'port4'])
    t.same([wire.addresses, wire.routes, wire.forwarding], [[], [], '0'])
  })

  await t.test('the router got its configuration, and its control socket is reached from outside', async t => {
    const socket = connect(bench.controlSocket('104b')).setEncoding('utf8')
    const [text] = await once(socket, 'data') as [string]
    const config = JSON.parse(text) as RouterConfig
    const { nat } = fig1.routers?.['104b'] ?? {}
    t.same(config, {
      name: '104b', seed: 7, ...nat !== undefined && { nat }, control: '/run/naptlab/104b.sock', folder: '/somewhere/104b',
      lan: { interface: 'lan', network: 'lan-b', mac: '02:00:00:03:00:02', address: '192.168.1.1/24' },
      wan: { interface: 'wan', network: 'wan', mac: '02:00:00:01:00:04', address: '202.204.16.13' },
    })
    t.throws(() => bench.controlSocket('101'), { message: /has no router '101'/ })
  })

  await t.test('no way out of the bench, and none between its two LANs', async t => {
    const probe = ['const net = require("net"); const s = net.connect({ host: process.argv[1], port: 9, timeout: 300 });',
      's.on("error", e => console.log(e.code)).on("timeout", () => { console.log("silence"); s.destroy() })'].join('')
    await Promise.all([['101', '192.168.1.11'], ['102', '192.168.1.3'], ['102', '10.0.0.1'], ['104a', '192.168.1.11']].map(async ([host, address]) =>
      t.match((await run(bench, host, process.execPath, '-e', probe, address)).stdout, /silence|EHOSTUNREACH|ENETUNREACH/, `${host} to ${address}`)))
  })

  await t.test('what there is none of', async t => {
    t.throws(() => bench.spawn('105', 'true'), { message: /no host '105'; there is 51, 101, 102, 103, 104a, 104b, switch.wan/ })
  })
})

t.test('flat WAN and two LANs with the same addresses', needsNamespaces, async t => {
  const lan = { mtu: 1400 }
  const description: BenchDescription = {
    name: 'talk',
    networks: { wan: { offloads: 'on' }, left: lan, right: lan },
    hosts: {
      101: { network: 'wan', address: '130.74.23.6' },
      12: { network: 'wan', address: '8.117.12.109' },
      leftServer: { network: 'left', address: '192.168.1.3/24' }, leftClient: { network: 'left', address: '192.168.1.11/24' },
      rightServer: { network: 'right', address: '192.168.1.3/24' }, rightClient: { network: 'right', address: '192.168.1.11/24' },
    },
  }
  await using bench = await openBench(description)
  await Promise.all([
    listening(bench, '101', '130.74.23.6', 1200),
    listening(bench, 'leftServer', '192.168.1.3', 2000),
    listening(bench, 'rightServer', '192.168.1.3', 2000),
  ])
  t.same(await ask(bench, '12', 'talk', 'ask', '130.74.23.6', '1200', 'wan'), { udp: 'wan 8.117.12.109', tcp: 'wan 8.117.12.109' })
  const [left, right] = await Promise.all(['left', 'right'].map(side => ask(bench, `${side}Client`, 'talk', 'ask', '192.168.1.3', '2000', side)))
  t.same([left, right], ['left', 'right'].map(side => ({ udp: `${side} 192.168.1.11`, tcp: `${side} 192.168.1.11` })))

  const onWan = await ask<Look>(bench, '12', 'look'), onLan = await ask<Look>(bench, 'leftClient', 'look')
  t.same(onWan.links.eth0.offloads, ['tx-checksumming', 'tso', 'gso'], 'offloads as the kernel has them, where asked for')
  t.same([onLan.links.eth0.mtu, onLan.links.eth0.offloads], [1400, []])
  t.same(onLan.routes, ['192.168.1.0/24 via 0.0.0.0 dev eth0'], 'without a gateway there is no default route')
})

t.test('a host with several addresses; an MTU of its own for each network', needsNamespaces, async t => {
  const small: BenchDescription = { ...discovery, networks: { wan: { mtu: 1280 }, lan: {} } }
  await using bench = await openBench(small, options)
  const look = (host: string): Promise<Look> => ask<Look>(bench, host, 'look')
  const [stun, inside, router, wire] = await Promise.all(['stun', 'inside', 'nat', 'switch.lan'].map(look))
  t.same(stun.addresses, ['127.0.0.1/8', '198.51.100.1/32', '203.0.113.1/32'])
  t.same(stun.routes, ['0.0.0.0/0 via 0.0.0.0 dev eth0'])
  t.same([stun.links.eth0.mtu, router.links.wan.mtu, router.links.lan.mtu, inside.links.eth0.mtu], [1280, 1280, 1500, 1500], 'each cable has its own')
  t.same(Object.values(wire.links).map(({ mtu }) => mtu), [1500, 1500, 1500, 1500], 'a switch with its ports too')
})

t.test('two ends are a cable, in order before the bench is called ready; IPv6 where asked for', needsNamespaces, async t => {
  const description: BenchDescription = {
    name: 'cable', ipv6: 'on', networks: { cable: {} },
    hosts: { a: { network: 'cable', address: '10.0.0.1/24' }, b: { network: 'cable', address: '10.0.0.2/24' } },
  }
  await using bench = await openBench(description)
  const { links, addresses } = await ask<Look>(bench, 'a', 'look')
  t.equal(links.eth0.operational, true)
  t.ok(addresses.includes('::1/128'))
  t.same(bench.record.namespaces.map(({ name }) => name), ['a', 'b'], 'no switch')
})
