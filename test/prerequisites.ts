// What some tests need and a machine may lack. Each is an option for `t.test`: such a test is then skipped in the open.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { hasCap } from '../napt/device/libpcap.js'

export interface Prerequisite { readonly skip: string | false }

const succeeds = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0

function hasPackage(name: string): boolean {
  try {
    createRequire(import.meta.url)(name)
    return true
  } catch {
    return false
  }
}

/** Looked for when a test asks, and once: tshark alone takes a quarter of a second to say that it is there. */
function prerequisite(missing: () => string | false): Prerequisite {
  let answer: string | false | undefined
  return { get skip() { return answer ??= missing() } }
}

export const needsNamespaces = prerequisite(() => succeeds('unshare', '-Urnm', 'true') ? false : 'this machine allows no user namespaces')
const onBench = (isThere: () => boolean, reason: string): Prerequisite => prerequisite(() => needsNamespaces.skip !== false ? needsNamespaces.skip : isThere() ? false : reason)

/** Programs that judge from outside, by the Debian packages that they come in. */
function hasPrograms(programs: Readonly<Record<string, string>>): Prerequisite {
  return prerequisite(() => {
    const missing = Object.keys(programs).filter(program => !succeeds('sh', '-c', `command -v ${program}`))
    const packages = [...new Set(missing.map(program => programs[program]))]
    return missing.length === 0 ? false : `not installed: ${missing.join(', ')} (sudo apt-get install ${packages.join(' ')})`
  })
}

/** The same on a bench. */
function needsPrograms(programs: Readonly<Record<string, string>>): Prerequisite {
  const present = hasPrograms(programs)
  return prerequisite(() => needsNamespaces.skip !== false ? needsNamespaces.skip : present.skip)
}

export const needsCap = onBench(hasCap, 'the package cap is not installed (it needs libpcap-dev)')
export const needsTap = onBench(() => succeeds('unshare', '-Urn', 'sh', '-c', ': <> /dev/net/tun'), '/dev/net/tun is not there, or not this user\'s to open (sudo modprobe tun, sudo chmod 0666 /dev/net/tun)')
export const needsRawSocket = onBench(() => hasPackage('raw-socket'), 'the package raw-socket is not installed (it is compiled, and that failed here)')
export const needsTshark = prerequisite(() => succeeds('tshark', '--version') ? false : 'tshark is not installed')
export const needsTsharkWithLua = prerequisite(() => {
  if (needsTshark.skip !== false) return needsTshark.skip
  return spawnSync('tshark', ['--version'], { encoding: 'utf8' }).stdout.includes('with Lua') ? false : 'tshark was built without Lua'
})
export const needsOpenssl = prerequisite(() => succeeds('openssl', 'version') ? false : 'openssl is not installed')
export const needsCoturn = needsPrograms({ turnserver: 'coturn', turnutils_natdiscovery: 'coturn' })
/** Debian has it where only root looks for programs. */
export const needsNft: Prerequisite = onBench(() => succeeds('sh', '-c', 'PATH=$PATH:/usr/sbin command -v nft'), 'nft is not installed (sudo apt-get install nftables)')
export const needsNetworkTools = needsPrograms({ ping: 'iputils-ping', traceroute: 'traceroute', iperf3: 'iperf3' })
const CAPTURE_FILE_TOOLS = { tshark: 'tshark', editcap: 'wireshark-common', mergecap: 'wireshark-common', text2pcap: 'wireshark-common', tcpdump: 'tcpdump' }
export const needsCaptureFileTools = hasPrograms(CAPTURE_FILE_TOOLS)
/** Not as root, for tcpdump would give up rights that the namespace has none of; with the rights to capture all the same. */
export const IN_NAMESPACE = ['unshare', '-Un', '--map-user=1', '--map-group=1', '--keep-caps'] as const
const captureTools = hasPrograms({ ...CAPTURE_FILE_TOOLS, dumpcap: 'wireshark-common', bash: 'bash' })
export const needsCaptureTools = prerequisite(() => succeeds(IN_NAMESPACE[0], ...IN_NAMESPACE.slice(1), 'true')
  ? captureTools.skip : 'unshare gives no user namespace with capabilities kept (util-linux 2.38 does)')
