// naptlab ps: the benches that are up, with their hosts and routers.
import type { CommandModule } from 'yargs'
import { deviceCountersOf } from '../../lab/bench/device-counters.js'
import { findBenches, type BenchRecord, type FoundBench } from '../../lab/index.js'
import { lossText } from '../tables.js'

interface PsArguments { readonly json: boolean }

export const psCommand: CommandModule<object, PsArguments> = {
  command: 'ps',
  describe: 'Show the benches that are up',
  builder: yargs => yargs
    .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
    .example('$0 ps', 'benches, hosts, addresses, how the routers are and what their devices lost'),
  handler: async ({ json }) => {
    const benches = await Promise.all(findBenches().map(async bench => ({ ...bench, devices: await deviceCountersOf(bench) })))
    if (json) console.log(JSON.stringify(benches, null, 2))
    else console.log(benches.length === 0 ? 'no bench is up' : benches.map(describe).join('\n'))
  },
}

type Devices = Awaited<ReturnType<typeof deviceCountersOf>>

function describe({ name, mode, pid, record, devices }: FoundBench & { readonly devices: Devices }): string {
  const head = `${name} (${pid})  ${mode}, ${record ? `since ${record.started}` : 'being built'}`
  return [head, ...record ? lines(record, devices) : []].join('\n')
}

function lines({ namespaces, routers }: BenchRecord, devices: Devices): string[] {
  const shown = namespaces.filter(({ kind }) => kind !== 'switch')
  const nameWidth = Math.max(...shown.map(({ name }) => name.length)), titleWidth = Math.max(...shown.map(({ title }) => title.length))
  return shown.map(({ name, title, interfaces }) => {
    const ends = interfaces.map(end => `${end.name} ${end.addresses.join(', ')} (${end.network})`).join('  ')
    const router = Object.entries(routers).find(([router]) => router === name)?.[1]
    const loss = name in devices ? lossText(devices[name]) : null
    const state = router === undefined ? '' : router.ending === null ? `  running${loss === null ? '' : `; ${loss}`}` : `  ended: ${router.ending}`
    return `  ${name.padEnd(nameWidth)}  ${title.padEnd(titleWidth)}  ${ends}${state}`
  })
}
