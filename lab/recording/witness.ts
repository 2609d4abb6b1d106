// The independent witness: records the interfaces of a bench's hosts through libpcap, apart from the router and its devices.
// A process of its own, because a capture aborts its process when the interface goes. `node witness.js FILE HOST…`, inside the
// bench; says {"event":"ready"}, and when its standard input ends, {"event":"done"}.
import { openSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { LINK_TYPE } from '../../captures/decode/link-layer.js'
import { PcapngWriter } from '../../captures/files/pcapng/writer.js'
import { wallTime } from '../../napt/clock.js'
import type { Capture } from '../../napt/device/libpcap.js'
import { captureInterface } from './interface-capture.js'
import { inNamespace, NAMESPACE_FOLDER } from '../bench/namespaces.js'

const INTERFACE = 'eth0'
/** Milliseconds until what was heard is on file, for whoever reads what a killed run leaves. */
const FLUSH_INTERVAL = 200

const [file, ...hosts] = process.argv.slice(2)
const writer = new PcapngWriter(file)
const open = hosts.map(name => {
  const id = writer.interface({ name, description: `${INTERFACE} of host ${name}, through libpcap`, linkType: LINK_TYPE.ethernet, snapLength: 0 })
  return { id, name, heard: 0, capture: null as Capture | null }
})
for (const each of open) {
  const { id, name } = each, path = `${NAMESPACE_FOLDER}/${name}`
  each.capture = inNamespace({ name, path, fd: openSync(path, 'r') }, () => captureInterface(INTERFACE, '', (frame, direction) => {
    each.heard++
    writer.packet(frame, { interfaceId: id, time: wallTime(), direction })
  }))
}
setInterval(() => writer.flush(), FLUSH_INTERVAL).unref()
say('ready')
process.stdin.resume().on('end', () => void end())

function say(event: 'ready' | 'done'): void { process.stdout.write(`${JSON.stringify({ event })}\n`) }

async function end(): Promise<void> {
  // What has arrived already is still read: one turn of the event loop to poll, one to be sure.
  await turn()
  await turn()
  for (const { id, heard } of open) {
    // libpcap's own loss counter is out of cap's reach.
    writer.statistics(id, wallTime(), { received: BigInt(heard), dropped: null })
  }
  writer.close()
  say('done')
  // The kernel takes its time to close a packet socket, 20 ms for each; nobody has to wait for that.
  process.exit(0)
}
