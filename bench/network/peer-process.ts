// Another NAT in the place of our router: `node peer-process.js CONFIG.json`, in the router's namespace. Which one is the configuration's
// `peer`. Says {"event":"ready"} when it forwards, and stays until it is told to end.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { NAMESPACE_FOLDER } from '../../lab/bench/namespaces.js'
import { RouteSocket } from '../../lab/bench/netlink.js'
import { RUN_FOLDER } from '../../lab/bench/protocol.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { NAMES, PREFIX_LENGTH, ROUTER_LAN, ROUTER_WAN } from './topology.js'

export type Peer = 'kernel' | 'slirp4netns' | 'pasta'

/** What Podman starts both with; frames of 64 KiB, as a cable with offloads carries them. */
const TAP_MTU = 65520
const TAP = 'tap0'
const CLIENT = `${NAMESPACE_FOLDER}/${NAMES.client}`
const MASQUERADE = 'table ip nat { chain postrouting { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }; }'

const START: Readonly<Record<Peer, () => void | Promise<void>>> = {
  kernel: () => {
    setAddress('lan', ROUTER_LAN)
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    execFileSync('nft', ['-f', '-'], { input: MASQUERADE, stdio: ['pipe', 'ignore', 'inherit'] })
  },
  // It has a socket of its own for each flow.
  slirp4netns: async () => {
    const child = spawn('sh', ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh', 'slirp4netns', '--configure', `--mtu=${TAP_MTU}`,
      '--disable-host-loopback', '--ready-fd=3', '--netns-type=path', CLIENT, TAP], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    const ended = once(child, 'exit').then(([code]) => { throw new Error(`slirp4netns ended with ${String(code)}`) })
    ended.catch(() => process.exit(1))
    await Promise.race([once(child.stdio[3] as NodeJS.ReadableStream, 'data'), ended])
  },
  // It goes into the background when it is ready.
  pasta: () => {
    execFileSync('pasta', ['--config-net', '--ipv4-only', '--quiet', '--pid', `${RUN_FOLDER}/pasta.pid`, '--mtu', String(TAP_MTU), '--ns-ifname', TAP,
      '--interface', 'wan', '--address', '192.168.3.2', '--netmask', '24', '--gateway', '192.168.3.1', '--no-map-gw',
      '--tcp-ports', 'none', '--udp-ports', 'none', '--tcp-ns', 'none', '--udp-ns', 'none', '--netns', CLIENT], { stdio: ['ignore', 'ignore', 'inherit'] })
  },
}

function setAddress(name: string, address: string): void {
  const socket = new RouteSocket()
  socket.addAddress(socket.link(name).index, parseIpv4(address), PREFIX_LENGTH)
  socket.close()
}

/** Both that speak for the client themselves do it from the router's own address. */
function prepareRouter(): void {
  setAddress('wan', ROUTER_WAN)
  const socket = new RouteSocket()
  socket.setUp(socket.link('lo').index)
  socket.close()
}

const { peer } = JSON.parse(readFileSync(process.argv[2], 'utf8')) as { readonly peer: Peer }
try {
  prepareRouter()
  await START[peer]()
  process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`)
  process.on('SIGTERM', () => process.exit(0))
  setInterval(() => undefined, 2 ** 31 - 1) // the kernel and pasta's own process need nobody to wait for them
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
