// The memory device: frames in batches, copies out, partial checksums completed on the way.
import t from 'tap'
import { batchOf, copyOf, MemoryDevice } from '../../../napt/device/memory.js'
import { write16 } from '../../../napt/wire/bytes.js'
import { fold, pseudoHeaderSum } from '../../../napt/wire/checksum.js'
import { IP, tcp, TRANSPORT, udp } from '../frames.js'
import { MACS } from '../router-bench.js'
import { show } from '../show.js'

t.test('what is injected is received once, in order, as a copy', async t => {
  const device = new MemoryDevice('m', MACS.lan)
  let calls = 0
  device.inject(Uint8Array.of(1))
  device.watch(() => calls++)
  device.inject(Uint8Array.of(2, 3))
  device.inject(new Uint8Array(0))
  t.equal(calls, 2, 'called for each that comes while somebody watches')
  const batch = device.receive()
  t.same([batch.count, ...Array.from({ length: batch.count }, (_, i) => [...copyOf(batch, i)])], [3, [1], [2, 3], []])
  t.equal(device.receive().count, 0)
  t.same([device.name, device.mtu, device.counters], ['m', 1500, { received: 3, sent: 0, missed: 0, unsent: 0 }])
})

t.test('what is sent can be changed afterwards without harm', async t => {
  const device = new MemoryDevice('m', MACS.lan, 9000)
  const frame = Uint8Array.of(1, 2)
  device.send(frame)
  frame[0] = 9
  const batch = batchOf([Uint8Array.of(5), Uint8Array.of(6, 7)])
  device.forward(batch, 1)
  batch.bytes.fill(0)
  device.flush()
  t.same(device.sentFrames.map(bytes => [...bytes]), [[1, 2], [6, 7]])
  t.equal(device.counters.sent, 2)
  device.inject(frame)
  device.close()
  t.equal(device.receive().count, 0)
})

t.test('a partial checksum is complete in the copy', async t => {
  for (const [frame, at] of [[tcp('192.168.1.3:2600', '130.74.23.6:1300', 'PSH ACK', 'odd'), 16], [udp('192.168.1.3:2000', '130.74.23.6:1200', 'odd'), 6]] as const) {
    const good = show(frame)
    write16(frame, TRANSPORT + at, fold(pseudoHeaderSum(frame, IP, frame[IP + 9], frame.length - TRANSPORT)))
    t.not(show(frame), good)
    const batch = batchOf([frame])
    t.not(show(copyOf(batch, 0)), good, 'unless it is said to be partial')
    t.equal(show(copyOf({ ...batch, partial: Uint8Array.of(1) }, 0)), good)
  }
})
