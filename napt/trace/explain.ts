// Why a router did with a frame what it did, in words. Reads the trace record alone, and prints nothing: `trace`, a later look
// into a capture and the ladders all say the same.
//
//   104b  wan → lan  dropped  udp 8.117.12.109:9000 → 202.204.16.13:3400, 2 bytes
//     mapping  192.168.1.3:2000 = 202.204.16.13:3400, endpoint-independent, 4 min 12 s left
//     filter   address and port-dependent: nothing was sent to 8.117.12.109:9000 (sent to: 130.74.23.6:1200)
//     reason   filtered: the WAN port is mapped, but …
//     rule     RFC 4787 REQ-8
import type { Dependence } from '../behaviour/behaviour.js'
import { duration } from '../duration.js'
import { COUNTED_SESSIONS, type Explanation } from './explanation.js'
import type { TraceAction, TraceRecord } from './trace.js'
import { DROP_REASONS, otherSide, type DropExplanation, type DropReason } from '../verdict.js'
import { formatEndpoint, formatIpv4, type Endpoint } from '../wire/address.js'

type Mapping = NonNullable<Explanation['mapping']>
type Filter = NonNullable<Explanation['filter']>

/** How frames are called; taking them apart is not the router's business. */
export interface FrameWords {
  /** A frame in one line: `udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes`. */
  readonly summarize: (frame: Uint8Array) => string
  /** Its two ends alone: `192.168.1.3:2000 → 130.74.23.6:1200`. */
  readonly ends: (frame: Uint8Array) => string
}

export interface ExplainOptions {
  /** The details of frames that were not dropped, too. */
  readonly full?: boolean
  /** What the word for an outcome is printed in. */
  readonly paint?: (text: string, action: TraceAction) => string
}

const OUTCOMES: Readonly<Record<TraceAction, string>> = { forward: 'forwarded', answer: 'answered', drop: 'dropped', originate: 'sent', hold: 'held', split: 'forwarded in pieces' }

const DEPENDENCE_WORDS: Readonly<Record<Dependence, string>> = {
  'endpoint-independent': 'endpoint-independent', 'address-dependent': 'address-dependent', 'address-and-port-dependent': 'address and port-dependent',
}

/** One line about a frame, and below it, indented, what the router's decision rests on. `router` is its name. */
export function explain(record: TraceRecord, router: string, words: FrameWords, { full = false, paint = text => text }: ExplainOptions = {}): string[] {
  const head = `${router}  ${path(record)}  ${paint(outcome(record), record.action)}  ${packet(record, words)}`
  return full || record.action === 'drop' ? [head, ...details(record).map(([label, text]) => `  ${label.padEnd(7)}  ${text}`)] : [head]
}

/** What asks nothing is not answered: ARP's own answers, and what a neighbour says of itself. */
const outcome = ({ action, sent }: TraceRecord): string => action === 'answer' && sent === undefined ? 'learned' : OUTCOMES[action]

/** From side to side, as far as the frame got or was meant to get. */
function path({ action, received, sent }: TraceRecord): string {
  if (received === undefined) return `    → ${sent?.side ?? ''}`
  if (action === 'answer' && sent === undefined) return `${received.side} →    `
  return `${received.side} → ${sent?.side ?? otherSide(received.side)}`
}

function packet({ action, waited, received, sent }: TraceRecord, { summarize, ends }: FrameWords): string {
  if (received === undefined) return sent === undefined ? '' : summarize(sent.frame)
  const frame = summarize(received.frame) + (waited === true ? ', which waited for ARP' : '')
  if (action === 'hold') return `${frame}, until ARP answers`
  if (sent === undefined) return frame
  return action === 'forward' ? `${frame}, as ${ends(sent.frame)}` : `${frame}, with ${summarize(sent.frame)}`
}

type Detail = readonly [label: string, text: string]

function details({ reason, explanation, received }: TraceRecord): Detail[] {
  return [
    ...(explanation === undefined ? [] : explanationDetails(explanation, reason, received?.side === 'lan')),
    ...(reason === undefined ? [] : reasonDetails(reason)),
  ]
}

function explanationDetails(explanation: Explanation, reason: DropReason | undefined, isOutbound: boolean): Detail[] {
  const { mapping, filter, before, after } = explanation
  const hasState = before !== 'none' || after !== 'none'
  const left = explanation.timeLeft === undefined ? '' : `, ${duration(explanation.timeLeft / 1000)} left`
  return [
    ['mapping', mapping === undefined ? 'none' : mappingWords(mapping) + (hasState ? '' : left)],
    ...(filter === undefined ? [] : [['filter', filterWords(filter, mapping, explanation, reason, isOutbound)] as const]),
    ...(hasState ? [['state', stateWords(explanation)] as const] : []),
  ]
}

function mappingWords({ protocol, kind, lan, wan, dependence, isNew }: Mapping): string {
  const end = (endpoint: Endpoint): string => kind === 'one-to-one' ? formatIpv4(endpoint.address) : endWords(protocol, endpoint)
  return `${end(lan)} = ${end(wan)}, ${kind === 'dynamic' ? DEPENDENCE_WORDS[dependence] : kind}${isNew ? ', new' : ''}`
}

function filterWords({ dependence, remote, sentTo, sessions }: Filter, mapping: Mapping | undefined, { before }: Explanation, reason: DropReason | undefined, isOutbound: boolean): string {
  const protocol = mapping?.protocol ?? 'udp'
  const whom = dependence === 'address-dependent' ? formatIpv4(remote.address) : endWords(protocol, remote)
  const judged = (text: string): string => `${DEPENDENCE_WORDS[dependence]}: ${text}`
  if (reason === 'filtered') {
    const others = sentTo.map(each => endWords(protocol, each)).join(', ') || 'nobody'
    return judged(`nothing was sent to ${whom} (sent to: ${others}${sessions > sentTo.length && sentTo.length > 0 ? `, and ${sessions < COUNTED_SESSIONS ? '' : 'at least '}${sessions - sentTo.length} more` : ''})`)
  }
  if (mapping !== undefined && mapping.kind !== 'dynamic') return `not asked: a ${mapping.kind} mapping lets anybody in`
  if (isOutbound) return judged(`lets ${dependence === 'endpoint-independent' ? 'anybody' : whom} in`)
  if (before !== 'none') return judged('not asked again: the session is known')
  return judged(dependence === 'endpoint-independent' ? 'anybody may come in' : `the host has sent to ${whom}`)
}

function stateWords({ before, after, timeLeftBefore, timeLeft }: Explanation): string {
  const states = before === after ? after : `${before} → ${after}`
  if (timeLeft === undefined) return states
  const now = duration(timeLeft / 1000), earlier = timeLeftBefore === undefined ? now : duration(timeLeftBefore / 1000)
  return `${states}, ${earlier === now ? now : `${earlier} → ${now}`} left`
}

function reasonDetails(reason: DropReason): Detail[] {
  const { sentence, clause }: DropExplanation = DROP_REASONS[reason]
  return [['reason', `${reason}: ${sentence}`], ...(clause === undefined ? [] : [['rule', clause] as const])]
}

/** An end of a flow: address and port, or what the protocol has in place of a port. */
export function endWords(protocol: string, { address, port }: Endpoint): string {
  if (protocol === 'tcp' || protocol === 'udp') return formatEndpoint(address, port)
  return protocol === 'icmp' && port !== 0 ? `${formatIpv4(address)} id ${port}` : formatIpv4(address)
}
