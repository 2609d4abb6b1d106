// Flows by their ends against a map of texts: many of them, few addresses, either way round, and TCP beside UDP.
import t from 'tap'
import { FlowIndex } from '../../captures/canonical/flow-index.js'
import { seededRandom } from '../../napt/random.js'
import type { Ipv4Address } from '../../napt/wire/address.js'

t.test('the same flow whichever way a packet goes, and no other', async t => {
  const random = seededRandom(7), index = new FlowIndex<string | null>(), model = new Map<string, string | null>()
  const end = () => ({ address: (random() % 40 - 20 | 0) as Ipv4Address, port: [0, 1, 1200, 0x8000, 0xffff][random() % 5] })
  let found = 0
  for (let i = 0; i < 60_000; i++) {
    const source = end(), destination = end(), isTcp = random() % 2 === 0
    const text = [source, destination].map(({ address, port }) => `${address}:${port}`).sort().join(' ') + (isTcp ? ' tcp' : ' udp')
    const known = index.find(isTcp, { source, destination })
    if (known !== model.get(text)) t.fail(`${text}: ${String(known)}, not ${String(model.get(text))}`)
    if (known !== undefined) found++
    else {
      const flow = random() % 10 === 0 ? null : text
      index.add(isTcp, { source, destination }, flow)
      model.set(text, flow)
    }
  }
  t.ok(model.size > 10_000, `${model.size} flows`)
  t.ok(found > 10_000, `${found} found again`)
})
