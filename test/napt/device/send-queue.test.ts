// Frames that are sent together: taken apart as the kernel does it, the messages are the same datagrams, bit for bit, and those of a
// flow are in order.
import t from 'tap'
import { SendQueue, type Messages } from '../../../napt/device/send-queue.js'
import { framePages, GSO_SIZE, GSO_TYPE, NEEDS_CHECKSUM, VIRTIO_HEADER, type FrameMemory } from '../../../napt/system/frame-arena.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import { write16 } from '../../../napt/wire/bytes.js'
import * as udpHeader from '../../../napt/wire/udp.js'
import { altered, alteredHeader, IP, tcp, TRANSPORT, udp } from '../frames.js'
import { Random } from '../random.js'

const SLOT = 2048, CAPACITY = 256, PAYLOAD = TRANSPORT + udpHeader.HEADER
const GSO_UDP_L4 = 5

/** A frame as a device has it: with a partial checksum perhaps. */
interface Sent { readonly frame: Uint8Array, readonly isPartial?: boolean, readonly isSegmented?: boolean }

/** Reads messages back from where they were written. */
class WrittenMessages implements Messages {
  readonly #vectors: { address: number, length: number }[] = []
  readonly #gathered: { first: number, count: number }[] = []

  gather(i: number, first: number, count: number): void { this.#gathered[i] = { first, count } }
  set(i: number, address: number, length: number): void { this.#vectors[i] = { address, length } }
  free(): void { /* nothing was taken */ }

  read(memory: FrameMemory, count: number): Uint8Array[] {
    return this.#gathered.slice(0, count).map(message => Buffer.concat(this.#vectors.slice(message.first, message.first + message.count)
      .map(({ address, length }) => memory.bytes.subarray(address - memory.address, address - memory.address + length))))
  }
}

const memory = framePages(CAPACITY * SLOT)
t.teardown(() => memory.free())

/** A frame with the checksum that a sender leaves to its card. */
function partial(frame: Uint8Array): Uint8Array {
  const copy = frame.slice()
  write16(copy, TRANSPORT + udpHeader.CHECKSUM, udpHeader.partialChecksum(copy, IP, TRANSPORT))
  return copy
}

/** What goes out, message by message. */
function messagesOf(queue: SendQueue<WrittenMessages>, sent: readonly Sent[]): Uint8Array[] {
  sent.forEach(({ frame, isPartial = false, isSegmented = false }, i) => {
    const at = i * SLOT + VIRTIO_HEADER
    memory.bytes.fill(0, i * SLOT, at)
    memory.bytes[i * SLOT] = isPartial ? NEEDS_CHECKSUM : 0
    memory.bytes.set(isPartial ? partial(frame) : frame, at)
    queue.addSegment(memory, at, at + frame.length, isPartial, isSegmented)
  })
  const messages = queue.messages.read(memory, queue.build())
  t.equal(messages.reduce((sum, _, i) => sum + queue.framesOf(i), 0), sent.length, 'each frame is in a message')
  queue.clear()
  return messages
}

/** As the kernel takes a message apart (udp4_ufo_fragment, inet_gso_segment): headers repeated, identifications counted, checksums anew. */
function segmentsOf(message: Uint8Array): Uint8Array[] {
  const frame = message.subarray(VIRTIO_HEADER)
  if (message[GSO_TYPE] === 0) {
    if ((message[0] & NEEDS_CHECKSUM) !== 0) udpHeader.writeChecksum(frame, IP, TRANSPORT)
    return [frame]
  }
  t.same([message[0], message[GSO_TYPE], message[2], message[6], message[8]], [NEEDS_CHECKSUM, GSO_UDP_L4, PAYLOAD, TRANSPORT, udpHeader.CHECKSUM], 'the virtio header')
  t.equal(ipv4.check(frame, IP, frame.length), null, 'the IP header')
  t.equal(ipv4.totalLength(frame, IP), frame.length - IP)
  t.equal(udpHeader.length(frame, TRANSPORT), frame.length - TRANSPORT)
  t.equal(udpHeader.checksum(frame, TRANSPORT), udpHeader.partialChecksum(frame, IP, TRANSPORT), 'the partial checksum')
  const size = message[GSO_SIZE] | message[GSO_SIZE + 1] << 8, payload = frame.subarray(PAYLOAD), count = Math.ceil(payload.length / size)
  t.ok(count > 1 && count <= 64, `${count} segments`)
  return Array.from({ length: count }, (_, i) => {
    const part = payload.subarray(i * size, (i + 1) * size), segment = new Uint8Array(Buffer.concat([frame.subarray(0, PAYLOAD), part]))
    ipv4.setLengths(segment, IP, ipv4.MINIMUM_HEADER, segment.length - IP)
    write16(segment, IP + 4, ipv4.identification(frame, IP) + i & 0xffff)
    ipv4.writeChecksum(segment, IP)
    udpHeader.writeHeader(segment, IP, TRANSPORT, udpHeader.sourcePort(frame, TRANSPORT), udpHeader.destinationPort(frame, TRANSPORT), part.length)
    return segment
  })
}

/** To compare: without trailer, and without the identification where it means nothing. */
function seen(frame: Uint8Array): string {
  const copy = frame.slice(0, IP + ipv4.totalLength(frame, IP))
  if (ipv4.dontFragment(copy, IP)) ipv4.setIdentification(copy, IP, 0)
  return Buffer.from(copy).toString('hex')
}

const queueOf = (): SendQueue<WrittenMessages> => new SendQueue(CAPACITY, new WrittenMessages())
const A = '192.168.1.3:2000', B = '192.168.1.4:2000', TO = '130.74.23.6:1200'
const whole = { dontFragment: true }
const shape = (messages: readonly Uint8Array[]): number[] => messages.map(message => segmentsOf(message).length)
const shapeOf = (...frames: readonly (Uint8Array | Sent)[]): number[] =>
  shape(messagesOf(queueOf(), frames.map(frame => frame instanceof Uint8Array ? { frame } : frame)))

t.test('datagrams of a flow go as one message, in the place of the first', async t => {
  t.same(shapeOf(udp(A, TO, 'one', whole), udp(B, TO, 'one', whole), udp(A, TO, 'two', whole), udp(B, TO, 'two', whole), udp(A, TO, 'six', whole)), [3, 2])
  t.same(shapeOf(udp(A, TO, 'four', whole), udp(A, TO, 'six', whole), udp(A, TO, 'nine', whole)), [2, 1], 'a shorter one is the last')
  t.same(shapeOf(udp(A, TO, 'six', whole), udp(A, TO, 'four', whole), udp(A, TO, 'nine', whole)), [1, 2], 'a longer one begins anew')
  t.same(shapeOf({ frame: udp(A, TO, 'one', whole), isPartial: true }, udp(A, TO, 'two', whole)), [2], 'whether a checksum is complete or not')
  t.same(shapeOf(...Array.from({ length: 100 }, () => udp(A, TO, 'x', whole))), [64, 36], 'up to what the kernel takes')
  t.same(shapeOf(...Array.from({ length: 100 }, () => udp(A, TO, 'x'.repeat(1472), whole))), [44, 44, 12], 'and to 64 KiB')
})

t.test('what differs goes by itself', async t => {
  const first = udp(A, TO, 'one', whole)
  const others: Record<string, Uint8Array> = {
    'another time to live': udp(A, TO, 'two', { ...whole, timeToLive: 9 }), 'another type of service': alteredHeader(udp(A, TO, 'two', whole), 1, 8),
    'a wrong checksum': altered(udp(A, TO, 'two', whole), PAYLOAD, 9), 'no checksum': altered(udp(A, TO, 'two', whole), TRANSPORT + 6, 0, 0),
    'no payload': udp(A, TO, '', whole), 'a fragment': alteredHeader(udp(A, TO, 'two'), 6, 0x20, 0), 'one that may be fragmented': udp(A, TO, 'two', { identification: 1 }),
    'another next hop': altered(udp(A, TO, 'two', whole), 5, 9), 'another sender': altered(udp(A, TO, 'two', whole), 11, 9),
    'bytes behind the datagram': alteredHeader(udp(A, TO, 'two', whole), 2, 0, 30), 'another port': udp('192.168.1.3:2001', TO, 'two', whole), 'TCP': tcp(A, TO, 'ACK', 'two'),
  }
  for (const [what, other] of Object.entries(others)) {
    t.same(shapeOf(first, other), [1, 1], what)
    t.same(shapeOf(other, first), [1, 1], `${what}, first`)
  }
  t.same(shapeOf(first, { frame: udp(A, TO, 'two', whole), isSegmented: true }), [1, 1], 'segments already')
})

t.test('identifications that mean something count on', async t => {
  const at = (identification: number): Uint8Array => udp(A, TO, 'x', { identification })
  t.same(shapeOf(at(65_534), at(65_535), at(0), at(2)), [3, 1])
})

t.test('any frames: the same datagrams, each flow in order, nothing past what may belong to any', async t => {
  const random = new Random(1), queue = queueOf()
  let coalesced = 0
  for (let round = 0; round < 60; round++) {
    const identifications = [0, 0, 0, 0]
    const sent = Array.from({ length: 1 + random.below(CAPACITY - 1) }, (): Sent => {
      const flow = random.below(4), from = `192.168.1.${flow}:${random.pick([2000, 2000, 2000, 2001])}`, payload = Buffer.from(random.bytes(random.pick([1, 18, 18, 18, 18, 18, 17, 200]))).toString('latin1')
      const frame = udp(from, TO, payload, { dontFragment: flow > 0, identification: identifications[flow]++, timeToLive: random.oneIn(40) ? 3 : 64 })
      if (random.oneIn(40)) return { frame: altered(frame, PAYLOAD, frame[PAYLOAD] + 1 & 255) }
      if (random.oneIn(40)) return { frame: alteredHeader(frame, 6, 0x20, 0) }
      if (random.oneIn(40)) return { frame: tcp(from, TO, 'ACK', payload) }
      return { frame: payload.length < 18 && random.oneIn(2) ? new Uint8Array(Buffer.concat([frame, new Uint8Array(18)])) : frame, isPartial: random.oneIn(3) }
    })
    const messages = messagesOf(queue, sent), out = messages.flatMap(segmentsOf).map(seen), wanted = sent.map(({ frame }) => seen(frame))
    coalesced += sent.length - messages.length
    t.same([...out].sort(), [...wanted].sort(), 'the same datagrams')
    const flowOf = (hex: string): string => hex.slice(2 * 23, 2 * 24) + hex.slice(2 * 26, 2 * 38)
    const isFragment = (hex: string): boolean => hex.slice(2 * 20, 2 * 21) === '20'
    for (const flow of new Set(wanted.map(flowOf))) t.same(out.filter(hex => flowOf(hex) === flow), wanted.filter(hex => flowOf(hex) === flow), 'in order')
    const isUdp = (hex: string): boolean => hex.slice(2 * 23, 2 * 24) === '11'
    const sections = (all: readonly string[]): string[][] => all.filter(isUdp).reduce<string[][]>((done, hex) => isFragment(hex) ? [...done, [hex], []] : [...done.slice(0, -1), [...done[done.length - 1], hex]], [[]])
    t.same(sections(out).map(section => section.sort()), sections(wanted).map(section => section.sort()), 'fragments in their places')
  }
  t.ok(coalesced > 2000, `${coalesced} were segments behind a first`)
})
