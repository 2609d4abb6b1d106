// What a router did to one packet of a capture file, and why: from the verdict that stands beside it and from its copies, or by
// putting the file through a NAT.
import type { InterfacePacket } from '../../captures/files/pcapng/format.js'
import { decode } from '../../captures/decode/decode.js'
import { labelOf } from '../../captures/decode/payload.js'
import { decodePayload } from '../../captures/decode/protocol.js'
import type { ShownName } from '../../captures/show/naming.js'
import { contentOf } from '../../captures/show/packet-line.js'
import { summarize, summarizeEnds } from '../../captures/decode/summary.js'
import type { KeySource } from '../../captures/tls/key-log.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import { ASIDE, sideOfInterface, type Aside } from '../translate/places.js'
import { Nowhere } from '../translate/sink.js'
import { putThrough, type RouterOptions } from '../translate/translate.js'
import { verdictComment } from '../recording/verdict-comment.js'
import { findCopies, findFrame, type FoundFrame } from './copies.js'
import { compareFields, type FieldChange } from './fields.js'

export interface Detail { readonly label: string, readonly text: string }

/** A packet at one router. */
export interface Passage {
  readonly router: string
  /** One line: `104b  wan → lan  dropped  udp …`. */
  readonly headline: string
  /** mapping, filter, state, reason, rule. */
  readonly details: readonly Detail[]
  /** Frame numbers in the file; null for one that is not in it. */
  readonly before: number | null
  readonly after: number | null
  readonly fields: readonly FieldChange[]
}

export interface FrameExplanation {
  readonly file: string
  readonly frame: number
  readonly interface: string
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly summary: string
  /** The messages in it, those of opened TLS records too, by the document's numbers and names; null when there is none. */
  readonly payload: string | null
  /** Every router that it crossed, in order; only the one at whose interface the frame is, where it is at one. */
  readonly passages: readonly Passage[]
  /** Other frames of the same packet. */
  readonly copies: readonly { readonly frame: number, readonly interface: string }[]
  /** Why there is no passage, or how copies were found. */
  readonly note: string | null
}

/** @param number from 1. @param keys beside those of the file, to name what is under TLS. @throws NoSuchFrameError, CaptureFileError */
export async function explainFrame(file: string, number: number, keys: KeySource | null = null): Promise<FrameExplanation> {
  const found = await findFrame(file, number, keys), { packet } = found
  const { copies, isById } = await findCopies(file, packet)
  const own = sideOfInterface(packet.interface.name)?.router
  const routers = [...new Set(copies.flatMap(each => sideOfInterface(each.interface.name)?.router ?? []))]
  const named = routers.filter(each => own === undefined || each === own).flatMap(router => passageOf(router, copies, found) ?? [])
  const passages = routers.length > 0 || copies.length < 2 ? named : [betweenInterfaces(copies[0], copies[1], found)]
  const others = copies.filter(each => each.number !== number).map(each => ({ frame: each.number, interface: each.interface.name }))
  return { ...about(file, found), passages, copies: others, note: noteOn(packet, own, passages, others.length > 0, isById) }
}

/** As `explainFrame`, for a packet that is put through a NAT with all that came before it. */
export async function explainByNat(file: string, number: number, options: RouterOptions, keys: KeySource | null = null): Promise<FrameExplanation> {
  const found = await findFrame(file, number, keys)
  let passages: Passage[] = [], note: string | null = null
  await putThrough({ file }, new Nowhere(), { ...options, comments: 'none' }, {
    passed: (at, record) => { if (at === number) passages = [passageOfRecord(record, options.name ?? 'NAT')] },
    setAside: (at, reason: Aside) => { if (at === number) note = `the NAT does not get this frame: it is ${ASIDE[reason]}` },
  }, number)
  return { ...about(file, found), passages, copies: [], note }
}

function about(file: string, { packet, name }: FoundFrame): Pick<FrameExplanation, 'file' | 'frame' | 'interface' | 'time' | 'summary' | 'payload'> {
  const { number, interface: { name: interfaceName }, time } = packet, messages = name?.messages ?? []
  return { file, frame: number, interface: interfaceName, time, summary: inWords(packet, name), payload: messages.length === 0 ? null : messages.map(labelOf).join(', ') }
}

/** A copy has the content of the packet that it is of, under whatever addresses. */
function inWords({ bytes, interface: { linkType } }: InterfacePacket, name: ShownName | null): string {
  const decoded = decode(bytes, linkType)
  return summarize(decoded, decodePayload, { content: contentOf(decoded, name) })
}

/** What one router's copies say; null when none of them is there. */
function passageOf(router: string, copies: readonly InterfacePacket[], found: FoundFrame): Passage | null {
  const own = copies.filter(each => sideOfInterface(each.interface.name)?.router === router)
  const received = own.find(each => each.direction === 'inbound') ?? own.find(each => each.direction === null && each.comment !== '')
  const sent = own.find(each => each !== received && each.direction !== 'inbound' && (received === undefined || each.direction === 'outbound' || each.interface.name !== received.interface.name))
  const [first, second] = received !== undefined ? [received, sent] : own
  // What was held has its last verdict where it left.
  const arrived = received?.comment ?? '', left = sent?.comment ?? '', isHeld = arrived.split('\n')[0].includes('  held  ')
  const comment = arrived === '' || (isHeld && left !== '') ? left : arrived
  // A frame of the router's own came from nowhere; one without a verdict is only known to have been there.
  if (comment === '' && second === undefined) return null
  const after = second === undefined ? null : second.bytes
  const told = comment === '' ? guessed(router, first, second, found) : readComment(comment)
  return { router, ...told, before: first.number, after: second?.number ?? null, fields: compareFields(first.bytes, after) }
}

/** Two interfaces of which no name says whose they are. */
function betweenInterfaces(before: InterfacePacket, after: InterfacePacket, { name }: FoundFrame): Passage {
  const headline = `${before.interface.name} → ${after.interface.name}  forwarded  ${inWords(before, name)}, as ${summarizeEnds(decode(after.bytes, after.interface.linkType))}`
  return { router: '', headline, details: [], before: before.number, after: after.number, fields: compareFields(before.bytes, after.bytes) }
}

function passageOfRecord(record: TraceRecord, router: string): Passage {
  const { received, sent, action } = record
  return {
    router, ...readComment(verdictComment(record, router)), before: null, after: null,
    fields: received === undefined ? [] : compareFields(received.frame, sent === undefined || action !== 'forward' ? null : sent.frame),
  }
}

/** The lines of a verdict (napt/trace/explain.ts). Anything else that stands below them is shown as it is. */
function readComment(comment: string): Pick<Passage, 'headline' | 'details'> {
  const [headline = '', ...lines] = comment.split('\n')
  return { headline, details: lines.filter(line => line.trim() !== '').map(line => {
    const { label = '', text = line.trim() } = /^ {2}(?<label>[a-z]+) +(?<text>.*)$/.exec(line)?.groups ?? {}
    return { label, text }
  }) }
}

/** What two copies without a verdict show. */
function guessed(router: string, before: InterfacePacket, after: InterfacePacket | undefined, { name }: FoundFrame): Pick<Passage, 'headline' | 'details'> {
  const from = sideOfInterface(before.interface.name)?.side ?? '', to = after === undefined ? '' : sideOfInterface(after.interface.name)?.side ?? ''
  const as = after === undefined ? '' : `, as ${summarizeEnds(decode(after.bytes, after.interface.linkType))}`
  return { headline: `${router}  ${from} → ${to}  forwarded  ${inWords(before, name)}${as}`, details: [] }
}

function noteOn({ interface: { name } }: InterfacePacket, router: string | undefined, passages: readonly Passage[], hasCopies: boolean, isById: boolean): string | null {
  if (passages.length === 0) {
    if (router !== undefined) return `the file holds no verdict of ${router || 'the router'} on this frame, and no copy of it on the other side: it was dropped there, or that side was not recorded`
    return `no router's interface in the file has this packet: it was recorded ${name === '' ? 'on one interface' : `at ${name}`} alone. With --nat a NAT says what it would do`
  }
  if (passages.some(({ details }) => details.length > 0)) return null
  if (!isById && hasCopies) return 'the file says nothing of why; the copies were found by their content and times'
  return null
}
