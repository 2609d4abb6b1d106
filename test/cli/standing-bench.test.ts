// A bench that stays between commands, used as a person would: up, ps, exec, and everything that is said to its routers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { needsNamespaces, needsRawSocket } from '../prerequisites.js'
import { naptlab, NAPTLAB } from './naptlab.js'

const NAME = `cli-test-${process.pid}`
const bench = ['--bench', NAME]

t.test('a bench that stands', needsNamespaces, async t => {
  t.teardown(() => naptlab(['down', NAME]))
  const up = await naptlab(['up', 'fig1', '--name', NAME])
  t.equal(up.code, 0, up.stderr)
  t.match(up.stdout, new RegExp(`bench ${NAME} is up: 51, 101, 102, 103, 104a, 104b`))
  t.equal((await naptlab(['up', 'fig1', '--name', NAME])).code, 2, 'no second one of that name')
  t.match((await naptlab(['ps'])).stdout, /104b .*202\.204\.16\.13.*running/)

  const datagram = 'const s = require("dgram").createSocket("udp4"); s.bind(2000, () => s.send("hello", 1200, "130.74.23.6", () => s.close()))'
  const send = (): Promise<unknown> => naptlab(['exec', '103', ...bench, '--', process.execPath, '-e', datagram])
  await t.test('table, and time on the router\'s clock', async t => {
    await send()
    t.match((await naptlab(['table', '104b', ...bench])).stdout, /192\.168\.1\.3 +202\.204\.16\.13 +2000 +3400 +udp +dynamic +130\.74\.23\.6:1200 (4 min 5\d|5 min 0) s left/)
    t.equal((await naptlab(['clock', 'advance', '104b', '6m', ...bench])).code, 0)
    t.match((await naptlab(['table', '104b', ...bench])).stdout, /no mapping/, 'six minutes later it has lapsed')
    await send()
    t.match(JSON.parse((await naptlab(['table', '104b', ...bench, '--json'])).stdout), [{ protocol: 'udp', lanPort: 2000, wanPort: 3401 }], 'made anew, with the next port')
  })

  await t.test('static mappings', async t => {
    const taken = await naptlab(['map', '104a', '5000/tcp', '192.168.1.11:1700', ...bench])
    t.equal(taken.code, 2)
    t.match(taken.stderr, /WAN port 5000\/tcp is in use: 192\.168\.1\.11:1600/)
    t.equal((await naptlab(['map', '104a', '5001/tcp', '192.168.1.11:1700', ...bench])).code, 0)
    t.match((await naptlab(['table', '104a', ...bench])).stdout, /1700 +5001 +tcp +static/)
    t.equal((await naptlab(['unmap', '104a', '5001/tcp', ...bench])).code, 0)
    t.notMatch((await naptlab(['table', '104a', ...bench])).stdout, /5001/)
    t.match((await naptlab(['unmap', '104a', '5001/tcp', ...bench])).stderr, /has no static mapping/)
  })

  await t.test('trace and counters say why a packet was dropped', async t => {
    const trace = spawn(process.execPath, [NAPTLAB, 'trace', '104b', ...bench], { stdio: ['ignore', 'pipe', 'pipe'] })
    const dropped = new Promise<string>(resolve => createInterface({ input: trace.stdout }).on('line', line => { if (line.startsWith('  reason')) resolve(line) }))
    await once(trace.stderr, 'data') // it follows
    const knock = 'const s = require("dgram").createSocket("udp4"); s.send("let me in", 9, "202.204.16.13", () => s.close())'
    await naptlab(['exec', '101', ...bench, '--', process.execPath, '-e', knock])
    t.match(await dropped, /no-mapping: nothing is mapped to this WAN port/)
    trace.kill('SIGINT')
    t.match((await naptlab(['counters', '104b', ...bench])).stdout, /dropped: no-mapping +\d+/)
  })

  await t.test('emit from a host: through the router, as drawn', needsRawSocket, async t => {
    const { code, stdout, stderr } = await naptlab(['emit', '7A', '--host', '103', ...bench])
    t.equal(code, 0, stderr)
    t.match(stdout, /\d+ bytes sent from 103/)
  })

  t.equal((await naptlab(['exec', '102', ...bench, '--', 'sh', '-c', 'exit 7'])).code, 7, 'the program\'s exit code')
  t.match((await naptlab(['exec', '999', ...bench, '--', 'true'])).stderr, /no host '999'; there is/)
  t.equal((await naptlab(['down', NAME])).code, 0)
  t.notMatch((await naptlab(['ps'])).stdout, NAME)
})
