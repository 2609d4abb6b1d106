// However a bench ends, nothing of it is left: no process, no namespace, nothing on the machine.
import t, { type Test } from 'tap'
import { needsNamespaces } from '../prerequisites.js'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import {
  attach, fig1, findBench, findBenches, openBench, standBench, takeDown, type BenchDescription, type FoundBench, type LiveBench,
} from '../../lab/index.js'
import { launch } from '../../lab/bench/launch.js'
import { signalProcess, whenEnded } from '../../lab/bench/process.js'
import { planBench } from '../../lab/bench/plan.js'
import { machineNamespaces, namespacesOf, parentOf, remains, run, script, STAND_IN } from './helpers.js'

const options = { routerScript: STAND_IN }
const TIMEOUT_MS = 10_000
const before = machineNamespaces()
const named = (name: string): FoundBench[] => findBenches().filter(bench => bench.name === name)

/** Notes the namespaces of a bench, has it ended, and looks for what is left once its keeper is gone. */
async function nothingIsLeft(t: Test, keeper: number, end: () => unknown): Promise<void> {
  const namespaces = namespacesOf(keeper)
  t.ok(namespaces.size > 5)
  t.ok(remains(keeper, namespaces).length > 0, 'while it is up there is something to find')
  const starter = parentOf(keeper)
  await end()
  t.same(await Promise.all([keeper, starter].map(pid => whenEnded(pid, TIMEOUT_MS))), [true, true], 'the keeper ended, and who started it')
  t.same(remains(keeper, namespaces), [])
  t.same(machineNamespaces(), before)
}

const withRouter = (behave: string, name: string): BenchDescription => ({
  name, networks: { lan: {}, wan: {} }, hosts: { a: { network: 'lan', address: '10.0.0.2/24' }, b: { network: 'wan', address: '10.1.0.2' } },
  routers: { r: { lan: { network: 'lan', address: '10.0.0.1/24' }, wan: { network: 'wan', address: '10.1.0.1' }, nat: { behave } } },
})

t.test('close', needsNamespaces, async t => {
  const bench = await openBench(withRouter('well', 'close'), options)
  const program = bench.spawn('a', 'sleep', ['1000'])
  await once(program, 'spawn')
  await nothingIsLeft(t, bench.pid, () => bench.close())
  t.not(program.signalCode ?? program.exitCode, null, 'close waits for the programs too')
  t.equal(await bench.ended, null, 'which was asked for')
  await bench.close()
})

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`${signal} of the process that opened it`, async t => {
    const opener = spawn(process.execPath, [script('opener'), `opener-${signal}`, STAND_IN], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [pid] = await once(opener.stdout, 'data') as [Buffer]
    await nothingIsLeft(t, Number(pid), () => opener.kill(signal))
  })
  t.test(`${signal} of the keeper`, async t => {
    const bench = await openBench(withRouter('well', `keeper-${signal}`), options)
    await nothingIsLeft(t, bench.pid, () => signalProcess(bench.pid, signal))
    t.match(await bench.ended, { name: 'BenchFailure', message: /ended unasked/ })
  })
}

t.test('a failure while building', needsNamespaces, async t => {
  const plan = planBench(withRouter('well', 'broken'))
  const cables = plan.namespaces.map(place => ({ ...place, interfaces: place.interfaces.map(end => ({ ...end, mtu: 70_000 })) }))
  await t.rejects(launch({ name: 'broken', mode: 'attached', plan: { ...plan, namespaces: cables }, routerScript: '', routers: [] }),
    { name: 'BenchFailure', exitCode: 1, message: /could not make the cable eth0–lan: .* \(rtnetlink: E[A-Z]+\)/ })
  t.same(named('broken'), [])
})

t.test('a router that fails', needsNamespaces, async t => {
  await t.rejects(openBench(withRouter('crash', 'crash'), options),
    { name: 'BenchFailure', message: /router r ended before it was ready \(exit code 1\)\n.*no table to put mappings in/s })
  await t.rejects(openBench(withRouter('refuse', 'refuse'), options), { message: /router r says: the WAN interface is on fire/ })
  await t.rejects(openBench(withRouter('well', 'none'), { routerScript: '/nowhere.js' }), { name: 'BenchError', message: /\/nowhere\.js is not there/ })
  t.same([...named('crash'), ...named('refuse'), ...named('none')], [])
})

t.test('the keeper is killed while the routers start', needsNamespaces, async t => {
  const opening = openBench(withRouter('silent', 'silent'), options)
  const refused = t.rejects(opening, { name: 'BenchFailure', message: /ended before the bench was ready/ })
  const routerIsThere = (found: FoundBench | undefined): found is FoundBench => found !== undefined && existsSync(`/proc/${found.pid}/root/run/naptlab/r.sock`)
  let keeper = named('silent').at(0)
  while (!routerIsThere(keeper)) { // there is no event for what another process makes
    await new Promise(resolve => setTimeout(resolve, 5))
    keeper = named('silent').at(0)
  }
  t.throws(() => findBench('silent'), { message: /still being built/ })
  signalProcess(keeper.pid, 'SIGKILL')
  await refused
  t.ok(await whenEnded(keeper.pid, TIMEOUT_MS))
  t.same(named('silent'), [])
})

t.test('a router that dies later', needsNamespaces, async t => {
  const killRouter = (bench: LiveBench): Promise<unknown> => run(bench, 'a', 'kill', '-KILL', String(bench.record.routers.r.pid))
  await t.test('ends an attached bench with an error', async t => {
    const bench = await openBench(withRouter('well', 'attached'), options)
    await nothingIsLeft(t, bench.pid, () => killRouter(bench))
    t.match(await bench.ended, { name: 'BenchFailure', message: 'router r ended (SIGKILL)' })
    await bench.close()
  })
  await t.test('shows in the record of a standing one', async t => {
    const name = `standing-${process.pid}`
    const bench = await standBench(withRouter('well', name), options)
    t.teardown(() => bench.close())
    t.equal(attach(name).record.routers.r.ending, null)
    await killRouter(bench)
    while (attach(name).record.routers.r.ending === null) await new Promise(resolve => setTimeout(resolve, 5))
    t.equal(attach(name).record.routers.r.ending, 'SIGKILL')
    t.equal((await run(attach(name), 'a', 'echo', 'still')).stdout, 'still\n', 'which stays, though nothing runs on it')
  })
})

t.test('a standing bench', needsNamespaces, async t => {
  const name = `stand-${process.pid}`
  const bench = await standBench(fig1, { ...options, name })
  t.teardown(() => bench.close())
  await t.rejects(standBench(fig1, { ...options, name }), { name: 'BenchError', message: /a bench named stand-\d+ stands already/ })
  const second = await standBench(fig1, { ...options, name: `${name}-2` })
  t.teardown(() => second.close())
  t.throws(() => attach(), { message: /more than one bench is up: say which .*stand/ })
  t.equal((await run(attach(name), '102', 'echo', 'here')).stdout, 'here\n')
  t.equal(attach(String(second.pid)).name, `${name}-2`)
  await nothingIsLeft(t, second.pid, () => takeDown(second))
  t.equal((await run(bench, '102', 'echo', 'here still')).stdout, 'here still\n', 'the other is not disturbed')
  await nothingIsLeft(t, bench.pid, () => attach(name).close())
  t.throws(() => attach(name), { message: /no bench/ })
})
