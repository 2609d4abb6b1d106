// The same router over files as live: the golden captures of a run on the bench, put through it offline, give the very frames that
// the live router sent, byte for byte, and do so every time.
import t from 'tap'
import { goldenCapture, readCaptures, type CapturedPacket } from '../../captures/index.js'
import { fig1 } from '../../lab/benches/fig1.js'
import { FileDevice, parseRouterConfig, replay, type Counters, type Side, type TimedFrame } from '../../napt/index.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { parseMac, type MacAddress } from '../../napt/wire/address.js'

/** As the bench of Fig. 1 gives them out (lab/bench/plan.ts). */
const MACS: Readonly<Record<string, Readonly<Record<Side, MacAddress>>>> = {
  '104a': { lan: parseMac('02:00:00:02:00:02'), wan: parseMac('02:00:00:01:00:03') },
  '104b': { lan: parseMac('02:00:00:03:00:02'), wan: parseMac('02:00:00:01:00:04') },
}

const text = (frame: Uint8Array): string => Buffer.from(frame).toString('hex')

/** The run in the clear: in the others the routers are told to forget Fig. 5, which no file tells. */
async function replayed(router: string): Promise<{ sent: Record<Side, string[]>, wanted: Record<Side, string[]>, counters: Counters }> {
  const description = fig1.routers?.[router]
  const config = parseRouterConfig({ name: router, lan: { interface: 'lan', address: description?.lan.address }, wan: { interface: 'wan', address: description?.wan.address }, nat: description?.nat })
  const macs = MACS[router]
  const sent: Record<Side, string[]> = { lan: [], wan: [] }, wanted: Record<Side, string[]> = { lan: [], wan: [] }
  const captures = await readCaptures(goldenCapture('fig2-none'))
  const device = (side: Side): FileDevice => {
    const packets: readonly CapturedPacket[] = captures.get(`${router}-${side}`)?.packets ?? []
    const isOwn = (frame: TimedFrame): boolean => Buffer.compare(ethernet.source(frame.bytes, 0), macs[side]) === 0
    wanted[side] = packets.filter(isOwn).map(({ bytes }) => text(bytes))
    return new FileDevice(side, macs[side], packets.filter(frame => !isOwn(frame)), frame => sent[side].push(text(frame)))
  }
  const devices = { lan: device('lan'), wan: device('wan') }
  return { counters: replay(config, devices), sent, wanted }
}

for (const router of ['104a', '104b']) {
  t.test(router, async t => {
    const first = await replayed(router)
    t.ok(first.wanted.lan.length > 20 && first.wanted.wan.length > 20, 'there was much to send')
    t.same(first.sent, first.wanted, 'what was sent live')
    t.equal(first.counters.forwarded.lan + first.counters.answered + first.counters.forwarded.wan > 0, true)
    t.same((await replayed(router)).sent, first.sent, 'and again')
  })
}
