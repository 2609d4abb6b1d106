// The router on its live devices, between two hosts of a small bench: packets pass, with offloads on and off, through both.
import t from 'tap'
import { openBench, type AttachedBench, type BenchDescription } from '../../lab/index.js'
import { RouterClient } from '../../napt/index.js'
import type { DeviceKind } from '../../napt/index.js'
import { needsCap, needsNamespaces, needsRawSocket, needsTap, type Prerequisite } from '../prerequisites.js'
import { ask, run, script } from './helpers.js'
import { childrenOf } from '../../lab/bench/process.js'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

const bench = (offloads: 'on' | 'off', device: DeviceKind = 'packet'): BenchDescription => ({
  name: 'small',
  networks: { lan: { offloads }, wan: { offloads } },
  hosts: {
    inside: { network: 'lan', address: '192.168.1.3/24', gateway: '192.168.1.1' },
    outside: { network: 'wan', address: '130.74.23.6' },
  },
  routers: {
    r: { device, lan: { network: 'lan', address: '192.168.1.1/24' }, wan: { network: 'wan', address: '202.204.16.13' }, nat: { portAllocation: 'sequential', firstPort: { udp: 3400, tcp: 2401 } } },
  },
})

async function answerer(bench: AttachedBench): Promise<void> {
  const server = bench.spawn('outside', process.execPath, [script('talk'), 'answer', '130.74.23.6', '1200'])
  await once(server.stdout, 'data')
}

const CASES: readonly { device: DeviceKind, offloads: 'on' | 'off', needs: Prerequisite }[] = [
  { device: 'packet', offloads: 'off', needs: needsNamespaces },
  { device: 'packet', offloads: 'on', needs: needsNamespaces },
  { device: 'libpcap', offloads: 'off', needs: needsCap },
  { device: 'tap', offloads: 'off', needs: needsTap },
  { device: 'tap', offloads: 'on', needs: needsTap },
]

for (const { device, offloads, needs } of CASES) {
  t.test(`${device}, offloads ${offloads}`, needs, async t => {
    await using small = await openBench(bench(offloads, device))
    await answerer(small)
    const heard = await ask<{ udp: string, tcp: string }>(small, 'inside', 'talk', 'ask', '130.74.23.6', '1200', 'hello')
    t.same(heard, { udp: 'hello 202.204.16.13', tcp: 'hello 202.204.16.13' }, 'the other end sees the WAN address, and its answers come back')
    // Far more than a frame, in both directions: with offloads on these are GSO frames of up to 64 KiB.
    const bulk = await ask<{ sent: string, returned: string, bytes: number }>(small, 'inside', 'bulk', '130.74.23.6', '1200', String(2 << 20))
    t.equal(bulk.bytes, 2 << 20)
    t.equal(bulk.returned, bulk.sent, 'the same bytes came back')

    const router = await RouterClient.connect(small.controlSocket('r'))
    const { dropped, devices } = await router.request({ op: 'counters' })
    t.same(Object.entries(dropped).filter(([, count]) => count > 0), [], 'nothing was dropped')
    t.same([devices.lan.missed, devices.wan.missed, devices.lan.unsent, devices.wan.unsent], [0, 0, 0, 0], 'or lost')
    t.equal((await router.request({ op: 'info' })).device, device)
    t.same((await router.request({ op: 'table' })).map(row => `${row.protocol} ${row.wanPort}`), ['tcp 2401', 'tcp 2402', 'udp 3400'])
    router.close()
  })
}

for (const offloads of ['on', 'off'] as const) {
  t.test(`datagrams that wait together, offloads ${offloads}`, needsNamespaces, async t => {
    await using small = await openBench(bench(offloads))
    const flows = 3, count = 150
    await ask(small, 'inside', 'datagrams', 'send', '130.74.23.6', '9', String(flows), String(flows)) // everybody knows everybody's address
    const ear = small.spawn('outside', process.execPath, [script('datagrams'), 'hear', '130.74.23.6', '1200', String(count)])
    await once(ear.stdout, 'data')
    // A router that does not run finds them all in its ring at once.
    const pid = childrenOf(small.pid).find(child => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('router-process'))
    if (pid === undefined) throw new Error('the router does not run')
    process.kill(pid, 'SIGSTOP')
    await ask(small, 'inside', 'datagrams', 'send', '130.74.23.6', '1200', String(count), String(flows))
    const said = once(ear.stdout, 'data')
    process.kill(pid, 'SIGCONT')
    const { heard, frames } = JSON.parse(String((await said)[0])) as { heard: string[][], frames: number }

    t.same(heard.map(flow => flow.length), Array.from({ length: flows }, () => count / flows), 'each of each flow')
    for (const flow of heard) {
      const numbers = flow.map(text => Number(text.split(':')[1].trim().split(' ')[0])), [first] = numbers
      t.same(numbers, numbers.map((_, i) => first + i * flows), 'in order')
      t.same(flow.map(text => text.trimEnd().length), flow.map((_, i) => [40, 39, 60][Math.max(0, i % 11 - 8)]), 'none longer or shorter than it was')
    }
    if (offloads === 'on') t.ok(frames < count / 3, `they came as ${frames} frames`)
    else t.ok(frames >= count, 'each as a frame of its own')
    const router = await RouterClient.connect(small.controlSocket('r')), { forwarded, devices } = await router.request({ op: 'counters' })
    router.close()
    t.equal(forwarded.lan, flows + count)
    const snmp = (await run(small, 'r', 'cat', '/proc/net/snmp')).stdout.split('\n').filter(line => line.startsWith('Ip:')).map(line => line.split(' '))
    t.equal(snmp[1][snmp[0].indexOf('InReceives')], '0', 'its kernel looks at none of them')
    t.ok(devices.wan.sent >= forwarded.lan && devices.wan.unsent === 0, 'the router counts datagrams, not frames')
  })
}

t.test('ping and traceroute see what a router does', needsRawSocket, async t => {
  await using small = await openBench(bench('off'))
  const probe = async (...args: string[]): Promise<unknown> => ask(small, 'inside', 'probe', ...args)
  t.same(await probe('130.74.23.6', '64'), { type: 0, code: 0, from: '130.74.23.6' }, 'an echo goes through and comes back')
  t.same(await probe('192.168.1.1', '64'), { type: 0, code: 0, from: '192.168.1.1' }, 'the router answers itself')
  t.same(await probe('130.74.23.6', '1'), { type: 11, code: 0, from: '192.168.1.1' }, 'time exceeded, from the router\'s LAN address')
  const unreachable = await run(small, 'inside', process.execPath, script('talk'), 'refused', '130.74.23.6', '9')
  t.equal(unreachable.stdout, 'ECONNREFUSED', 'the ICMP error about a closed UDP port finds its way in')
})
