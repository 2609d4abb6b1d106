// The cases' language: what it reads, what it refuses, and that a case which does not go as written says so.
import t from 'tap'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { IP } from '../napt/frames.js'
import { detailsIn, formatFrame, parseFrame } from './frame-text.js'
import { runCase, runRefusal } from './run-case.js'
import { parseScript } from './script.js'
import { Variables } from './variables.js'

t.test('a frame reads as it is written', async t => {
  const LINES = [
    "udp A:2000 > S:1200 'text'", "tcp A:2600 > S:1300 SYN ACK 'data'", 'echo A > S id 7', "timestamp-reply S > R id 9 'x'", 'protocol 47 A > S',
    "icmp 3/4 M > R [udp R:2000 > S:1200 'x'] mtu 1300", 'icmp 11/0 M > R [echo R > S id 7]', "icmp 11/0 M > R [udp R:2000 > S:1200 'x'] extension",
    'udp A:2000 > S:1200 length 1400 df', 'udp A:2000 > S:1200 ttl 3', 'udp A:2000 > S:1200 tos 184', 'udp A:2000 > S:1200 ident 9',
    'icmp 3/1 M > R [tcp R:2600 > S:1300 …] quoting 28',
  ]
  for (const line of LINES) {
    const frame = parseFrame(line.replace(' …', ' SYN'))
    t.equal(formatFrame(frame, detailsIn(line)), line.replace(/ quoting \d+/, ''))
    t.equal(ipv4.check(frame, IP, frame.length), null)
  }
  t.equal(formatFrame(parseFrame('udp A:2000 > S:1200 length 1992 fragment 0-1480'), []), 'udp A:2000 > S:1200 fragment 0-1480')
  t.equal(formatFrame(parseFrame('udp A:2000 > S:1200 length 1992 fragment 1480-2000'), []), 'udp A > S fragment 1480-2000')
  t.match(formatFrame(parseFrame("udp A:2000 > S:1200 'x' bad-checksum"), []), /!udp-checksum$/)
  t.match(formatFrame(parseFrame("udp A:2000 > S:1200 'x' bad-header-checksum"), []), /!ip-checksum$/)
})

const FLOW = 'lan udp A:2000 > S:1200\n→ wan udp R:2000 > S:1200\n'

t.test('a case that does not go as written says where', async t => {
  const WRONG: readonly (readonly [string, string, RegExp])[] = [
    ['another port', 'lan udp A:2000 > S:1200\n→ wan udp R:2001 > S:1200', /^lan udp A:2000 > S:1200\n→ wan udp R:2000 > S:1200\nwanted:\n→ wan udp R:2001 > S:1200$/],
    ['a drop that was wanted', 'lan udp A:2000 > S:1200\n→ dropped no-mapping', /wanted:\n→ dropped no-mapping$/],
    ['a drop that was not', 'wan udp S:1200 > R:2000\n→ lan udp S:1200 > A:2000', /→ dropped no-mapping\nwanted/],
    ['another reason', 'wan udp S:1200 > R:2000\n→ dropped filtered', /→ dropped no-mapping\nwanted/],
    ['one frame too few', 'lan udp A:2000 > S:1200 ttl 1\n→ dropped ttl-expired', /→ lan icmp 11\/0 G > A/],
    ['anything where nothing may come', 'lan udp A:2000 > S:1200\n→ nothing', /wanted:\n→ nothing$/],
    ['a frame out of the blue', 'wan tcp S:1300 > R:2600 SYN\n→ dropped no-mapping\npass 6s', /^pass 6s\n→ wan icmp 3\/3/],
    ['a detail', 'lan udp A:2000 > S:1200 df\n→ wan udp R:2000 > S:1200 no-df', /df\nwanted/],
    ['a name that means something else', `${FLOW}lan udp B:2000 > S:1200\n→ wan udp R:$p > S:1200\nlan udp C:3000 > S:1200\n→ wan udp R:$p > S:1200`, /R:3000/],
    ['a relation', `${FLOW}lan udp B:2000 > S:1200\n→ wan udp R:$p > S:1200\nwhere $p = 2000`, /^where \$p = 2000: but it is \d+ = 2000$/],
    ['a script that is none', 'lan udp A:2000 > S:1200', /says nothing of what comes of it/],
    ['a choice that is none', FLOW, /nat\.hairpinning/],
  ]
  for (const [name, script, failure] of WRONG) {
    t.match(runCase({ name, script, ...(name === 'a choice that is none' ? { option: { hairpinning: 'on' } } : {}) }) ?? 'as written', failure, name)
  }
  t.equal(runCase({ name: 'right', script: FLOW }), null)
  t.equal(runRefusal({ name: 'accepted', refusal: /./ }), 'accepted')
  t.match(runRefusal({ name: 'for another reason', lanAddress: '202.204.16.1/24', refusal: /port/ }) ?? '', /^refused, but with/)
})

t.test('what is no script', async t => {
  t.throws(() => parseScript('→ nothing'), /stands behind nothing/)
  t.throws(() => parseScript('udp A:2000 > S:1200'), /is no line of a script/)
  t.throws(() => parseScript('pass a while'), /'a while' is no time/)
  t.throws(() => parseFrame('udp A:2000 S:1200'), /is no frame/)
  t.throws(() => parseFrame('udp A:2000 > S:1200 ttl 1 fast'), /'fast' in .* is no detail/)
  t.throws(() => parseFrame('tcp A:2000 > S:1200 SIN'), /'SIN' is no TCP flag/)
  t.throws(() => parseFrame('sctp A:2000 > S:1200'), /'sctp' is no kind of frame/)
  t.throws(() => parseFrame("udp A:2000 > S:1200 'x' fragment 0-1480"), /there is no fragment 0-1480/)
  t.same(parseScript('pass 2h4m\npass 299.999s\npass 1ms').map(step => step.kind === 'pass' ? step.milliseconds : null), [7_440_000, 299_999, 1])
})

t.test('relations', async t => {
  const names = new Variables()
  t.ok(names.match('wan udp $a:$p > S:1200', 'wan udp R2:5000 > S:1200'))
  t.notOk(names.match('wan udp $a:$q > S:1200', 'wan udp R:5001 > S:1200'))
  for (const holds of ['$p = 5000', '$p = 4999 + 1', '$p ≠ 5001', '$p even', '$p in 5000-5000', '$a = R2', '$a = 202.204.16.20', '$a ≠ R', '40 7 90 3 in no order']) t.ok(names.check(holds), holds)
  for (const not of ['$p = 5001', '$p ≠ 5000', '$p odd', '$p in 5001-6000', '$a = R', '7 8 9 10 in no order', '10 20 30 in no order']) t.notOk(names.check(not), not)
  t.throws(() => names.check('$z even'), /no line has bound/)
  t.throws(() => names.check('$p big'), /is no relation/)
})
