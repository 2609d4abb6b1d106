// What a run showed live, and the ladder of the file that it left: the same packets.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CaptureStream, decodePayload, figureLayouts, ladderOfStream, type LadderPacket } from '../../captures/index.js'
import { runFig11 } from '../../lab/systems/fig11.js'
import { runFig2 } from '../../lab/systems/fig2.js'
import { needsNamespaces } from '../prerequisites.js'
import { show } from './run.js'

const line = ({ title, hops, figures, drop }: LadderPacket): string =>
  [title, ...hops.map(({ from, to, label }) => `${from} ${label} ${to}`), ...figures.map(({ figure, ok }) => `${figure} ${ok}`), ...drop === undefined ? [] : [`dropped at ${drop.lane}: ${drop.reason}`]].join(' | ')

async function fromFile(file: string, connections?: Parameters<typeof ladderOfStream>[1]['connections']): Promise<LadderPacket[]> {
  const { entries, notes } = await ladderOfStream(await CaptureStream.open(file), {
    title: 'the file', decoder: decodePayload, figures: figureLayouts('fig2'), detail: true, most: 10_000, ...connections === undefined ? {} : { connections },
  })
  t.same(notes, [])
  return entries.filter((entry): entry is LadderPacket => entry.kind === 'packet' && !entry.isDetail)
}

/** On a busy machine the records of two routers come too far apart, and a live ladder shows the two halves of a packet. */
const isHalf = ({ hops, drop }: LadderPacket): boolean => drop === undefined && [hops.at(0)?.from, hops.at(-1)?.to].some(lane => lane?.startsWith('104'))

/** Routers' packets in their order; what only hosts heard of, whose clocks are others', in any. */
function compare(t: Test, live: readonly LadderPacket[], filed: readonly LadderPacket[]): void {
  const halves = live.filter(isHalf), wholes = live.filter(packet => !isHalf(packet))
  t.same(filed.filter(isHalf), [], 'nothing in halves in the file')
  t.equal(filed.length, wholes.length + halves.length / 2)
  const counts = new Map<string, number>()
  for (const packet of filed) counts.set(line(packet), (counts.get(line(packet)) ?? 0) + 1)
  for (const packet of wholes) counts.set(line(packet), (counts.get(line(packet)) ?? 0) - 1)
  t.ok([...counts.values()].every(count => count >= 0), JSON.stringify([...counts].filter(([, count]) => count < 0)))
  const routed = (packets: readonly LadderPacket[]): string[] => packets.filter(({ hops, drop }) => hops.length > 1 || drop !== undefined).map(line)
  const inFile = routed(filed)
  let at = -1
  for (const each of routed(wholes)) {
    at = inFile.indexOf(each, at + 1)
    if (at < 0) t.fail(`out of its order in the file: ${each}`)
  }
}

t.test('Fig. 2, encrypted: opened by the keys in the file', needsNamespaces, async t => {
  const { result, packets } = await show(runFig2, { out: join(t.testdir(), 'out'), encryption: 'tls1.3' })
  t.ok(result.ok)
  const filed = await fromFile(result.capture ?? '')
  t.ok(filed.some(({ title }) => title === '217 connection request'))
  compare(t, packets, filed)
})

t.test('Fig. 11: what was dropped, and why', needsNamespaces, async t => {
  const { result, packets } = await show(runFig11, { out: join(t.testdir(), 'out') })
  t.ok(result.ok)
  const filed = await fromFile(result.capture ?? '')
  t.match(filed.filter(({ drop }) => drop !== undefined).map(line), [/dropped at 104: no-mapping: /])
  compare(t, packets.map(packet => ({ ...packet, title: '' })), filed.map(packet => ({ ...packet, title: '' })))
})
