// naptlab router: a NAPT router between two interfaces of any machine, in the foreground.
import { once } from 'node:events'
import type { CommandModule } from 'yargs'
import { natNamed } from '../../lab/read-nat.js'
import { parseRouterProgram, runRouter } from '../../lab/bench/run-router.js'
import { DEVICE_KINDS, type DeviceKind } from '../../napt/device/open.js'
import { UsageError } from '../errors.js'

interface RouterArguments {
  readonly lan: string
  readonly wan: string
  readonly nat: string | undefined
  readonly name: string
  readonly control: string | undefined
  readonly device: DeviceKind
  readonly out: string | undefined
  readonly json: boolean
}

export const routerCommand: CommandModule<object, RouterArguments> = {
  command: 'router',
  describe: 'Run a NAPT router between two interfaces, until Ctrl-C',
  builder: yargs => yargs
    .option('lan', { type: 'string', demandOption: true, describe: 'INTERFACE=ADDRESS/LENGTH: the LAN side and the router\'s address there' })
    .option('wan', { type: 'string', demandOption: true, describe: 'INTERFACE=ADDRESS[,GATEWAY]: the WAN side; without a gateway every address is on the cable' })
    .option('nat', { type: 'string', describe: 'How it behaves: a preset by name (naptlab nat list), or a YAML or JSON file' })
    .option('name', { type: 'string', default: 'router', describe: 'Name, used for its capture files' })
    .option('control', { type: 'string', describe: 'Path of the control socket [NAME.sock]' })
    .option('device', { choices: DEVICE_KINDS, default: 'packet' as const, describe: 'How frames are reached' })
    .option('out', { type: 'string', describe: 'Folder to write captures of both sides into' })
    .option('json', { type: 'boolean', default: false, describe: 'Say so in JSON when it forwards' })
    .example('$0 router --lan eth1=192.168.1.1/24 --wan eth0=4.17.168.2', 'the kernel must not have these addresses too')
    .example('$0 table ./router.sock', 'its table, from another terminal'),
  handler: async args => {
    const control = args.control ?? `./${args.name}.sock`
    const [wanInterface, wanAddress] = splitSide(args.wan, 'wan'), [lanInterface, lanAddress] = splitSide(args.lan, 'lan')
    const [address, ...gateways] = wanAddress.split(','), gateway = gateways.at(0)
    const program = parseRouterProgram({
      name: args.name, device: args.device, control, ...(args.out === undefined ? {} : { captureFolder: args.out }),
      lan: { interface: lanInterface, address: lanAddress },
      wan: { interface: wanInterface, address, ...(gateway === undefined ? {} : { gateway }) },
      ...(args.nat === undefined ? {} : { nat: natNamed(args.nat).nat }),
    })
    const router = await runRouter(program)
    console.log(args.json ? JSON.stringify({ event: 'ready', control }) : `${args.name} forwards between ${lanInterface} and ${wanInterface}; control socket ${control}. Ctrl-C ends it.`)
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')])
    for (const file of await router.endCaptures()) console.log(args.json ? JSON.stringify({ event: 'capture', file }) : `capture: ${file}`)
    await router.close()
  },
}

function splitSide(text: string, option: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new UsageError(`--${option} ${text}: INTERFACE=ADDRESS is wanted, such as eth0=4.17.168.2`)
  return [text.slice(0, at), text.slice(at + 1)]
}
