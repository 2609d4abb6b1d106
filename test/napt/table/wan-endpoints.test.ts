// The directory of WAN endpoints against a Map, over seeded operations.
import t from 'tap'
import { PROTOCOL_CODE, type ProtocolCode } from '../../../napt/table/flow-index.js'
import { WanEndpoints } from '../../../napt/table/wan-endpoints.js'
import { Random } from '../random.js'

const ADDRESSES = [0, -1, 0x0a000001]
const CODES = Object.values(PROTOCOL_CODE)

t.test('the same answers as a Map', async t => {
  const random = new Random(3), endpoints = new WanEndpoints(), model = new Map<string, number>()
  const keys: [ProtocolCode, number, number][] = Array.from({ length: 400 }, () => [random.pick(CODES), random.pick(ADDRESSES), random.oneIn(2) ? random.pick([0, 1023, 1024, 65535]) : random.below(65536)])
  let wrong = 0
  for (let step = 0; step < 20_000; step++) {
    const key = random.pick(keys), name = key.join(), known = model.get(name) ?? -1
    if (endpoints.first(...key) !== known) wrong++
    if (random.oneIn(2)) {
      const first = known === -1 ? step : known
      if (endpoints.take(...key, step) !== first) wrong++
      model.set(name, first)
    } else {
      const mapping = random.oneIn(2) ? -1 : step
      endpoints.set(...key, mapping)
      model.set(name, mapping)
    }
    if (random.oneIn(2000)) {
      const gone = random.pick(ADDRESSES)
      endpoints.keep(address => address !== gone)
      for (const [code, address, port] of keys) if (address === gone) model.delete([code, address, port].join())
    }
  }
  t.equal(wrong, 0)
  t.same(keys.map(key => endpoints.first(...key)), keys.map(key => model.get(key.join()) ?? -1))
})

t.test('every part of an endpoint counts, and what was not taken is nobody\'s', async t => {
  const endpoints = new WanEndpoints()
  t.equal(endpoints.first(PROTOCOL_CODE.udp, 7, 2000), -1)
  t.equal(endpoints.take(PROTOCOL_CODE.udp, 7, 2000, 0), 0)
  t.equal(endpoints.take(PROTOCOL_CODE.udp, 7, 2000, 1), 0, 'the first stays')
  t.same([[PROTOCOL_CODE.tcp, 7, 2000], [PROTOCOL_CODE.udp, 8, 2000], [PROTOCOL_CODE.udp, 7, 2001], [PROTOCOL_CODE.udp, 7, 2000 + 1024]].map(key => endpoints.first(...key as [ProtocolCode, number, number])), [-1, -1, -1, -1])
  t.equal(endpoints.first(PROTOCOL_CODE.udp, 7, 2000), 0)
})
