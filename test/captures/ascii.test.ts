// Numbers and addresses put into bytes read as JavaScript writes them.
import t from 'tap'
import { putAddress, putNumber, putRaw, putThousandths } from '../../captures/show/ascii.js'
import { formatIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import { randomBytes } from './support.js'

const bytes = Buffer.alloc(64, '#')
const written = (put: (at: number) => number): string => bytes.toString('latin1', 3, put(3))

t.test('whole numbers', async t => {
  const edges = Array.from({ length: 16 }, (_, power) => [10 ** power - 1, 10 ** power, 10 ** power + 1]).flat()
  for (const value of [...edges, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff, 10737418239, Number.MAX_SAFE_INTEGER]) {
    t.equal(written(at => putNumber(bytes, at, value)), String(value))
    t.equal(written(at => putNumber(bytes, at, value, 8)), String(value).padStart(8))
  }
})

t.test('thousandths', async t => {
  for (const value of [0, 1, 9, 10, 99, 100, 999, 1000, 1001, 12_345, 999_999, 1_000_000, 123_456_789_012, Number.MAX_SAFE_INTEGER]) {
    const digits = String(value).padStart(4, '0'), text = `${digits.slice(0, -3)}.${digits.slice(-3)}`
    t.equal(written(at => putThousandths(bytes, at, value, 10)), text.padStart(10))
    if (value > 0) t.equal(written(at => putThousandths(bytes, at, -value, 10)), `-${text}`.padStart(10))
  }
})

t.test('addresses, and texts as they are', async t => {
  const random = randomBytes('addresses')
  const addresses = [0, -1, 0x0a000001, ...Array.from({ length: 200 }, () => (random.next().value << 24) | (random.next().value << 16) | (random.next().value << 8) | random.next().value)]
  for (const address of addresses) t.equal(written(at => putAddress(bytes, at, address)), formatIpv4(address as Ipv4Address))
  t.equal(written(at => putRaw(bytes, at, Buffer.from('udp '))), 'udp ')
})
