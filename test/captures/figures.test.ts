// The layouts of Figs. 7 and 8: built frames pass, and each single wrong field is found and named.
import t from 'tap'
import { formatIpv4 } from '../../napt/wire/address.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import { checkFigures, checkPacket, FIGURES, figureLayouts, formatFigures, frameFor, type FigureLayout } from '../../captures/index.js'
import { capture, capturesOf, framesOf, message, PASSWORD, payloadFor, run, testDecoder } from './support.js'

const options = { decoder: testDecoder, password: PASSWORD }
const frameOf = (layout: FigureLayout): Uint8Array => frameFor(layout, payloadFor(layout.number, layout.payload))
const wrongFields = (frame: Uint8Array, layout: FigureLayout): string[] => checkPacket(frame, layout, options).filter(check => !check.ok).map(check => check.field)

t.test('the table of the specification, digit by digit', async t => {
  const row = (layout: FigureLayout): unknown[] => [
    layout.figure, layout.number, layout.side, formatIpv4(layout.source.address), formatIpv4(layout.destination.address),
    layout.source.port, layout.destination.port, layout.payload.map(field => field.value ?? field.name).join(' '),
  ]
  t.same(figureLayouts().map(row), [
    ['7A', '201', 'LAN', '192.168.1.3', '130.74.23.6', 2000, 1200, '2133'],
    ['7B', '201', 'WAN', '202.204.16.13', '130.74.23.6', 3400, 1200, '2133'],
    ['7C', '217', 'LAN', '192.168.1.11', '130.74.23.6', 1500, 1201, '2133 password 4.17.168.2 5000'],
    ['7D', '217', 'WAN', '4.17.168.2', '130.74.23.6', 7000, 1201, '2133 password 4.17.168.2 5000'],
    ['8A', '205', 'LAN', '130.74.23.6', '192.168.1.3', 1200, 2000, 'set'],
    ['8B', '205', 'WAN', '130.74.23.6', '202.204.16.13', 1200, 3400, 'set'],
    ['8C', '226', 'LAN', '130.74.23.6', '192.168.1.3', 1300, 2600, 'password 4.17.168.2 5000'],
    ['8D', '226', 'WAN', '130.74.23.6', '202.204.16.13', 1300, 2401, 'password 4.17.168.2 5000'],
  ])
  const changed = figureLayouts('fig8b').filter((layout, at) => JSON.stringify(layout) !== JSON.stringify(figureLayouts()[at]))
  t.same(changed.map(layout => [layout.figure, layout.source.port, layout.destination.port]), [['7B', 2400, 1200], ['8B', 1200, 2400]])
})

for (const layout of figureLayouts()) {
  t.test(`${layout.figure}: a built frame passes, and a single wrong field is named`, async t => {
    t.same(wrongFields(frameOf(layout), layout), [])
    const ip = 14, transport = 34
    const corrupted = (change: (frame: Uint8Array) => void, repair = true): string[] => {
      const frame = frameOf(layout)
      change(frame)
      if (repair) {
        ipv4.writeChecksum(frame, ip)
        if (layout.protocol === 'udp') udp.writeChecksum(frame, ip, transport)
        else tcp.writeChecksum(frame, ip, transport, frame.length)
      }
      return wrongFields(frame, layout)
    }
    t.same(corrupted(frame => frame[ip + 15]++), ['SA'])
    t.same(corrupted(frame => frame[ip + 19]++), ['DA'])
    t.same(corrupted(frame => frame[transport + 1]++), ['SP'])
    t.same(corrupted(frame => frame[transport + 3]++), ['DP'])
    t.same(corrupted(frame => frame[ip + 10] ^= 1, false), ['IPv4 checksum'])
    const transportChecksum = transport + (layout.protocol === 'udp' ? udp.CHECKSUM : tcp.CHECKSUM)
    t.same(corrupted(frame => frame[transportChecksum] ^= 1, false), [`${layout.protocol.toUpperCase()} checksum`])
    for (const field of layout.payload) {
      const changed = layout.payload.map(each => each === field ? { ...each, value: 'other' } : each)
      t.same(wrongFields(frameFor(layout, payloadFor(layout.number, changed)), layout), [field.name])
    }
    const reversed = [...layout.payload].reverse()
    t.same(wrongFields(frameFor(layout, payloadFor(layout.number, reversed)), layout), layout.payload.length > 1 ? ['payload order'] : [])
    const without = layout.payload.slice(1)
    t.same(wrongFields(frameFor(layout, payloadFor(layout.number, without)), layout), ['payload order', layout.payload[0].name])
    t.same(wrongFields(frameFor(layout, payloadFor(layout.number === '201' ? '205' : '201', layout.payload)), layout), ['packet'])
    t.same(wrongFields(frameOf(layout).subarray(0, 40), layout), ['protocol'])
  })
}

t.test('a password is compared but never shown', async t => {
  const [, , layout] = figureLayouts()
  const shown = JSON.stringify(checkPacket(frameOf(layout), layout, { decoder: testDecoder, password: 'something else' }))
  t.match(shown, /"field":"password","wanted":"•••• \(14 bytes\)","got":"•••• \(11 bytes\)","ok":false/)
  t.notMatch(shown, PASSWORD)
  t.notMatch(shown, /something else/)
  t.same(checkPacket(frameOf(layout), layout, { decoder: testDecoder }).filter(check => !check.ok), [], 'any password will do when none is given')
})

t.test('further fields behind the figure\'s own are allowed', async t => {
  const [layout] = figureLayouts()
  t.same(wrongFields(frameFor(layout, message(201, [['equipment ID', '2133'], ['request token', 'x']])), layout), [])
})

t.test('all eight are found in the captures of a run', async t => {
  const report = checkFigures(await capturesOf(), options)
  t.equal(report.ok, true)
  t.equal(report.compared, 8)
  t.same(report.results.map(result => [result.figure, result.result]), FIGURES.map(figure => [figure, 'passed']))
  t.same(new Set(report.results.map(result => result.interface)), new Set(['104a-lan', '104a-wan', '104b-lan', '104b-wan']))
  const witnesses = new Map([...await capturesOf()].filter(([name]) => !name.includes('-')))
  t.equal(checkFigures(witnesses, options).ok, true, 'the captures of the three machines alone show all eight too')
})

t.test('the run of Fig. 8B does not pass as the standard run, nor the other way round', async t => {
  const report = checkFigures(await capturesOf(), { ...options, run: 'fig8b' })
  t.equal(report.ok, false)
  const failed = report.results.filter(result => result.result !== 'passed')
  t.same(failed.map(result => [result.figure, result.result, result.checks.filter(check => !check.ok)]), [
    ['7B', 'failed', [{ field: 'SP', wanted: '2400', got: '3400', ok: false }]],
    ['8B', 'failed', [{ field: 'DP', wanted: '2400', got: '3400', ok: false }]],
  ])
  t.match(formatFigures(report).join('\n'), /✗ 8B {2}205 connection request notification at 104b-wan, nearest is frame \d+\n +DP: wanted 2400, got 3400/)
})

t.test('a packet that is not there is missing, a side that nobody captured is not checked, and nothing is no pass', async t => {
  const frames = framesOf(run().filter(event => !event.seen.has('104b-lan') || decodeNumber(event.seen.get('104b-lan')!) !== 205))
  const report = checkFigures(await capturesOf(frames), options)
  t.same(report.results.filter(result => result.result === 'missing').map(result => result.figure), ['8A', '8B'])
  t.equal(report.ok, false)

  const only = new Map([['104b-lan', await capture(framesOf().get('104b-lan')!)]])
  t.same(checkFigures(only, options).results.filter(result => result.result === 'passed').map(result => result.figure), ['7A', '8A', '8C'])
  t.equal(checkFigures(only, options).ok, false)
  t.equal(checkFigures(only, { ...options, partial: true }).ok, true)
  t.equal(checkFigures(new Map(), { ...options, partial: true }).ok, false)
  t.match(formatFigures(checkFigures(new Map(), options)).at(-1), /no packet was compared/)
})

const decodeNumber = (frame: Uint8Array): number => frame[23] === 17 ? frame[42] : 0
