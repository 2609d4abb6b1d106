// Run in a network namespace of its own, as root of it: two devices that hear each other, one of which nobody reads until the end.
// `node loopback.js packet|tap`; says what became of the frames, as JSON.
import { openPacket } from '../../../napt/device/packet.js'
import { openTap } from '../../../napt/device/tap.js'
import type { Device } from '../../../napt/device/device.js'
import { setInterfaceUp } from '../../../napt/system/interface.js'
import { writeFileSync } from 'node:fs'

/** Of no protocol (IEEE 802 local experimental), so that nobody else answers; `length` bytes that tell of their place. */
function numbered(number: number, length: number): Uint8Array {
  const frame = new Uint8Array(length).fill(number & 255)
  frame.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5])
  new DataView(frame.buffer).setUint32(14, number)
  return frame
}

/** Numbers and lengths of what has come, and whether every byte is right. */
function drain(device: Device): { numbers: number[], lengths: number[], intact: boolean } {
  const numbers: number[] = [], lengths: number[] = []
  let intact = true
  for (let batch = device.receive(); batch.count > 0; batch = device.receive()) {
    for (let i = 0; i < batch.count; i++) {
      const frame = batch.bytes.slice(batch.starts[i], batch.ends[i])
      if (frame[12] !== 0x88 || frame[13] !== 0xb5) continue
      const number = new DataView(frame.buffer).getUint32(14)
      numbers.push(number)
      lengths.push(frame.length)
      if (Buffer.compare(frame, numbered(number, frame.length)) !== 0) intact = false
    }
  }
  return { numbers, lengths, intact }
}

function flood(from: Device, to: Device, frames: number, length: number): object {
  const before = { from: from.counters, to: to.counters }
  for (let i = 0; i < frames; i++) from.send(numbered(i, length))
  from.flush()
  const { numbers, intact } = drain(to), after = { from: from.counters, to: to.counters }
  return {
    frames, received: numbers.length, inOrder: numbers.every((number, i) => i === 0 || number > numbers[i - 1]), intact,
    missed: after.to.missed - before.to.missed, unsent: after.from.unsent - before.from.unsent,
  }
}

function mixed(from: Device, to: Device, lengths: readonly number[]): object {
  lengths.forEach((length, i) => from.send(numbered(i, length)))
  from.flush()
  const { numbers, lengths: seen, intact } = drain(to)
  return { numbers, lengths: seen, intact }
}

for (const conf of ['all', 'default']) writeFileSync(`/proc/sys/net/ipv6/conf/${conf}/disable_ipv6`, '1')
const [, , kind] = process.argv
const report: Record<string, object> = {}
if (kind === 'packet') {
  setInterfaceUp('lo')
  const a = openPacket('lo'), b = openPacket('lo')
  report.mixed = mixed(a, b, [60, 1514, 1515, 9000, 60, 40_000, 1514, 65_000, 61, ...Array.from({ length: 40 }, (_, i) => i % 2 === 0 ? 20_000 : 100)])
  drain(a)
  report.small = flood(a, b, 6000, 60)
  drain(a)
  report.long = flood(a, b, 4000, 60_000)
  drain(a)
  report.again = flood(a, b, 100, 60)
  for (const device of [a, b]) device.close()
} else {
  const tap = openTap('tap0'), kernelEnd = openPacket('tap0')
  report.macs = { differ: Buffer.compare(tap.mac, kernelEnd.mac) !== 0 }
  report.mixed = mixed(kernelEnd, tap, [60, 1514, 61, 700])
  report.in = flood(kernelEnd, tap, 6000, 60)
  report.out = flood(tap, kernelEnd, 6000, 60)
  report.again = flood(kernelEnd, tap, 100, 60)
  for (const device of [kernelEnd, tap]) device.close()
}
process.stdout.write(JSON.stringify(report))
