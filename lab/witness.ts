// The independent witness: records the interfaces of a bench's hosts through libpcap, apart from the router and its devices.
// A process of its own, because a capture aborts its process when the interface goes. `node witness.js FOLDER HOST…`, inside
// the bench; says {"event":"ready"}, and ends when its standard input does.
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { PcapWriter } from '../captures/pcap-writer.js'
import { wallTime } from '../napt/clock.js'
import { openCapture, type Capture } from '../napt/device/libpcap.js'
import { inNamespace, NAMESPACE_FOLDER } from './namespaces.js'

const [folder, ...hosts] = process.argv.slice(2)
const open: { capture: Capture, writer: PcapWriter }[] = hosts.map(name => {
  const path = `${NAMESPACE_FOLDER}/${name}`
  const writer = new PcapWriter(join(folder, `${name}.pcap`))
  const capture = inNamespace({ name, path, fd: openSync(path, 'r') }, () => openCapture('eth0', '', frame => writer.write(wallTime(), frame)))
  return { capture, writer }
})
process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`)
process.stdin.resume().on('end', () => void end())

async function end(): Promise<void> {
  // What has arrived already is still read: one turn of the event loop to poll, one to be sure.
  await turn()
  await turn()
  for (const { capture, writer } of open) {
    capture.close()
    writer.close()
  }
  process.exit(0)
}
