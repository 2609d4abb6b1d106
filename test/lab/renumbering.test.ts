// The WAN address of 104b changes during the run: the request in the gap fails, the next 201 updates the list (S202A), and the
// request after it succeeds.
import t from 'tap'
import { decode, readCaptures } from '../../captures/index.js'
import { runFig2, type Fig2Options, type Fig2Result } from '../../lab/systems/fig2.js'
import { needsNamespaces } from '../prerequisites.js'
import { goldenText, pathOf, show } from './run.js'

t.test('a request before the next 201 fails, one after it succeeds', needsNamespaces, async t => {
  const { result, packets, steps } = await show<Fig2Options, Fig2Result>(runFig2, { out: t.testdir(), variant: 'renumber' })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.match(result.gap, /^server 130\.74\.23\.6:1201: the equipment is registered but did not answer.*another WAN address, until the next registration/)
  t.same(result.equipment, [{ equipmentId: '2133', address: '202.204.16.99', port: 3400 }])
  t.equal(result.file?.bytes, 48_000, 'S209 of the second request')
  t.equal(result.golden?.result, 'equal', goldenText(result))
  t.equal(result.figures, null)
  t.match(result.notOfTheFigures, /104b gets another WAN address/)

  const named = steps.map(({ lane, name }) => `${lane} ${name}`)
  t.same(named.slice(0, 8), ['101 S202', '104b renumbered', '102 S203', '101 S204', '102 refused', '101 S202A', '102 S203', '101 S204'], 'in this order')
  t.match(steps.find(({ name }) => name === 'S202A')?.note, '2133 = 202.204.16.99:3400 (moved)')
  const notifications = packets.filter(({ title }) => title.startsWith('205'))
  t.match(notifications.at(0), { drop: { lane: '104b', reason: /^not-routed/ } }, 'what is sent to the old address leads nowhere')
  const last = notifications.at(-1)
  t.equal(last && pathOf(last), '101 104b 103', 'what is sent to the new one arrives')
  t.equal(last?.drop, undefined)
  t.ok(result.tables['104b'].every(row => row.wanAddress === '202.204.16.99'), 'no mapping is left on the old address')

  const wan = (await readCaptures(result.capture ?? '')).get('104b-wan') ?? { packets: [] }
  const decoded = wan.packets.map(({ bytes }) => decode(bytes))
  const announced = decoded.findIndex(({ layers }) => layers.some(({ protocol, fields }) =>
    protocol === 'arp' && ['sender IP', 'target IP'].every(name => fields.some(field => field.name === name && field.value === '202.204.16.99'))))
  const first = decoded.findIndex(({ layers }) => layers.some(({ protocol, fields }) => protocol === 'ipv4' && fields.some(({ value }) => value === '202.204.16.99')))
  t.ok(announced >= 0 && announced < first, 'the neighbours on the WAN are told of the new address before it is used (RFC 5227 §3)')
})
