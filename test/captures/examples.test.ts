// The examples of docs/examples, as people run them: they pass, and they fail when the capture is another one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { CaptureStream, PcapngWriter, type InterfacePacket } from '../../captures/index.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const example = (name: string): string => join(root, 'docs', 'examples', name)

const RUNNERS = [['node:test', ['--test', example('call.node-test.mjs')]], ['tap', [example('call.tap.mjs')]]] as const

/** Runs a test of the examples, on another capture than its own where one is given. */
async function runExample(args: readonly string[], capture?: string): Promise<{ status: number | null, output: string }> {
  // A test runner that runs inside another one speaks its language.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_TEST_CONTEXT|TAP_|TAP$)/.test(name)))
  const child = spawn(process.execPath, args, { cwd: root, env: { ...env, ...(capture === undefined ? {} : { CAPTURE: capture }) }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const [status] = await once(child, 'close') as [number | null]
  return { status, output }
}

/** A copy of the example's capture in which `change` has its way with every packet; null leaves it out. */
async function changed(folder: string, change: (packet: InterfacePacket) => Uint8Array | null): Promise<string> {
  const stream = await CaptureStream.open(example('call.pcapng')), writer = new PcapngWriter(join(folder, 'changed.pcapng'))
  const known = new Map<number, number>()
  for await (const batch of stream.batches()) {
    for (const packet of batch) {
      const { interface: from, time, packetId } = packet, bytes = change(packet)
      if (!known.has(from.id)) known.set(from.id, writer.interface(from))
      if (bytes !== null) writer.packet(bytes, { interfaceId: known.get(from.id)!, time, ...(packetId === null ? {} : { packetId }) })
    }
  }
  writer.close()
  return writer.path
}

const says = ({ bytes }: InterfacePacket, text: string): boolean => Buffer.from(bytes).includes(text)

for (const [name, args] of RUNNERS) {
  t.test(`the example for ${name} passes, and fails when the capture is another one`, async t => {
    const good = await runExample(args)
    t.equal(good.status, 0, good.output)
    const unpunched = await runExample(args, await changed(t.testdir(), packet => says(packet, 'PUNCH') && !says(packet, 'PUNCHED') ? null : packet.bytes))
    t.equal(unpunched.status, 1, unpunched.output)
    t.match(unpunched.output, /✗ alice opens her NAT from the port that the server saw \(expect\[2\], .*call\.yaml:\d+\): wanted at least 1, found none/)
    t.match(unpunched.output, /missing at 104a-wan/)
    const bent = await runExample(args, await changed(t.testdir(), packet => says(packet, 'HELLO bob') ? Uint8Array.from(packet.bytes, (byte, at) => at === packet.bytes.length - 1 ? 0x42 : byte) : packet.bytes))
    t.equal(bent.status, 1, bent.output)
    t.match(bent.output, /payload at byte 0: wanted "HELLO bob", got "HELLO boB"/)
  })
}
