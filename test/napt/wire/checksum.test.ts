// The Internet checksum: whole, incremental (RFC 1624) and partial (offload), each against the others over seeded random data.
import t from 'tap'
import { completeChecksum, Packet } from '../../../napt/packet.js'
import { Translator } from '../../../napt/translation/translator.js'
import { DEFAULT_BEHAVIOUR } from '../../../napt/behaviour/behaviour.js'
import { read16, read32, write16, write32 } from '../../../napt/wire/bytes.js'
import { checksum, fold, pseudoHeaderSum, sumWords, update16, update32, updatePartial32 } from '../../../napt/wire/checksum.js'
import { formatIpv4, parseIpv4, type Ipv4Address } from '../../../napt/wire/address.js'
import * as udp from '../../../napt/wire/udp.js'
import { IP, tcp, TRANSPORT, udp as udpFrame } from '../frames.js'
import { Random } from '../random.js'
import { tableOf } from '../table/table-bench.js'
import { show } from '../show.js'

t.test('the example of RFC 1071 §3', async t => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7)
  t.equal(sumWords(bytes, 0, 8), 0x2ddf0)
  t.equal(fold(0x2ddf0), 0xddf2)
  t.equal(checksum(bytes, 0, 8), 0x220d)
})

t.test('the example of RFC 1624 §4, where equation 2 went wrong', async t => {
  const bytes = Uint8Array.of(0xdd, 0x2f)
  update16(bytes, 0, 0x5555, 0x3285)
  t.equal(read16(bytes, 0), 0x0000)
})

t.test('an odd last byte is the high half of its word', async t => {
  t.equal(sumWords(Uint8Array.of(1, 2, 3), 0, 3), 0x0102 + 0x0300)
  t.equal(checksum(Uint8Array.of(0xab), 0, 1), 0x54ff)
  t.equal(checksum(new Uint8Array(0), 0, 0), 0xffff)
})

t.test('folding takes any sum', async t => {
  t.equal(fold(0), 0)
  for (const sum of [1, 0xffff, 0x10000, 0x1fffe, 2 ** 32, 2 ** 40, 2 ** 53 - 1]) t.equal(fold(sum), sum % 0xffff || 0xffff, String(sum))
})

t.test('incremental equals whole, over 20,000 random changes', async t => {
  const random = new Random(1624)
  let wrong = 0
  for (let round = 0; round < 200; round++) {
    // The checksum stands in bytes 0 and 1; odd lengths among them.
    const bytes = random.bytes(20 + random.below(60))
    bytes[bytes.length - 1] |= 1
    write16(bytes, 0, 0)
    write16(bytes, 0, checksum(bytes, 0, bytes.length))
    for (let change = 0; change < 100; change++) {
      const at = 2 + 2 * random.below((bytes.length - 7) >> 1)
      if (random.oneIn(2)) {
        const after = random.oneIn(4) ? random.pick([0, 0xffff]) : random.below(0x10000)
        update16(bytes, 0, read16(bytes, at), after)
        write16(bytes, at, after)
      } else {
        const after = random.oneIn(4) ? random.pick([0, 0xffffffff, 0xffff, 0xffff0000]) : random.word()
        // Signed and unsigned values are the same address.
        update32(bytes, 0, random.oneIn(2) ? read32(bytes, at) : read32(bytes, at) | 0, random.oneIn(2) ? after : after | 0)
        write32(bytes, at, after)
      }
      const incremental = read16(bytes, 0)
      write16(bytes, 0, 0)
      const whole = checksum(bytes, 0, bytes.length)
      write16(bytes, 0, incremental)
      if (incremental !== whole) wrong++
    }
  }
  t.equal(wrong, 0)
})

t.test('partial: a change of address leaves the sum of the new pseudo-header', async t => {
  const random = new Random(7)
  let wrong = 0
  for (let round = 0; round < 5000; round++) {
    const bytes = random.bytes(40), length = random.below(0x10000)
    write16(bytes, 36, fold(pseudoHeaderSum(bytes, 0, 17, length)))
    const at = random.pick([12, 16]), after = random.word()
    updatePartial32(bytes, 36, read32(bytes, at), after)
    write32(bytes, at, after)
    const kept = read16(bytes, 36), fresh = fold(pseudoHeaderSum(bytes, 0, 17, length))
    // The two zeros of one's complement are one number.
    if (kept % 0xffff !== fresh % 0xffff) wrong++
  }
  t.equal(wrong, 0)
})

t.test('a UDP checksum that comes out as zero is written 0xffff, and holds', async t => {
  let found = 0
  for (let value = 0; value < 0x10000; value++) {
    const frame = udpFrame('192.168.1.3:2000', '130.74.23.6:1200', String.fromCharCode(value >> 8, value & 255))
    if (udp.checksum(frame, TRANSPORT) === 0) t.fail(`checksum 0 with payload ${value}`)
    if (udp.checksum(frame, TRANSPORT) === 0xffff) {
      found++
      t.ok(udp.checksumHolds(frame, IP, TRANSPORT))
    }
  }
  t.equal(found, 1, 'one payload of two bytes gives it')
})

/** A translator through which 192.168.1.x:p goes out as `wan`, from `firstPort` on. */
function translatorFor(wan: Ipv4Address, firstPort: number): Translator {
  const behaviour = { ...DEFAULT_BEHAVIOUR, portAllocation: 'sequential', firstPort: { tcp: firstPort, udp: firstPort, icmp: 0 } } as const
  return new Translator(tableOf(behaviour, wan))
}

function translated(translator: Translator, frame: Uint8Array, partial: boolean): Uint8Array {
  const packet = new Packet(), copy = frame.slice()
  packet.parse(copy, 0, copy.length, partial)
  if (translator.decideOutbound(packet, 0) !== null) throw new Error('refused')
  translator.rewrite(packet)
  return copy
}

t.test('translation keeps every checksum right, and partial then completed equals complete', async t => {
  const random = new Random(3022)
  let wrong = 0, different = 0
  for (let round = 0; round < 3000; round++) {
    const wan = random.word() as Ipv4Address, translator = translatorFor(wan, 1 + random.below(65535))
    const from = `192.168.1.${2 + random.below(250)}:${1 + random.below(65535)}`, to = `${formatIpv4(random.word() as Ipv4Address)}:${1 + random.below(65535)}`
    const payload = String.fromCharCode(...random.bytes(random.below(40)))
    const frame = random.oneIn(2) ? udpFrame(from, to, payload) : tcp(from, to, 'SYN', payload)
    const isUdp = frame[IP + 9] === 17, at = TRANSPORT + (isUdp ? 6 : 16)
    const complete = translated(translator, frame, false)
    if (/ !(ip|udp|tcp)-checksum/.test(show(complete)) || (isUdp && read16(complete, at) === 0)) wrong++

    const half = frame.slice(), length = half.length - TRANSPORT
    write16(half, at, fold(pseudoHeaderSum(half, IP, half[IP + 9], length)))
    const completed = translated(translator, half, true)
    completeChecksum(completed, 0, completed.length)
    if (!Buffer.from(completed).equals(complete)) different++
  }
  t.same({ wrong, different }, { wrong: 0, different: 0 })
})

t.test('a translation whose UDP checksum comes out as zero writes 0xffff', async t => {
  // The payload is chosen so that the datagram as it leaves sums to zero.
  const after = udpFrame('202.204.16.13:3400', '130.74.23.6:1200', '\0\0')
  const word = udp.checksum(after, TRANSPORT)
  const payload = String.fromCharCode(word >> 8, word & 255)
  const out = translated(translatorFor(parseIpv4('202.204.16.13'), 3400), udpFrame('192.168.1.3:2000', '130.74.23.6:1200', payload), false)
  t.equal(udp.checksum(out, TRANSPORT), 0xffff)
  t.ok(udp.checksumHolds(out, IP, TRANSPORT))
})

t.test('a UDP checksum of zero stays zero: the sender computed none', async t => {
  const frame = udpFrame('192.168.1.3:2000', '130.74.23.6:1200', 'x')
  write16(frame, TRANSPORT + udp.CHECKSUM, 0)
  const out = translated(translatorFor(parseIpv4('202.204.16.13'), 3400), frame, false)
  t.equal(udp.checksum(out, TRANSPORT), 0)
  t.equal(show(out), "udp 202.204.16.13:3400 > 130.74.23.6:1200 'x'")
})
