// Checks packets against the layouts of Figs. 7 and 8, field by field, and finds each layout's packet in captures.
import { formatIpv4 } from '../napt/wire/address.js'
import { decode, type Decoded, type Transport } from './decode/decode.js'
import type { ChecksumVerdict, Protocol } from './decode/layer.js'
import { LINK_TYPE } from './decode/link-layer.js'
import { figureLayouts, type FigureLayout, type FigureRun, type LayoutField } from './figures.js'
import type { Capture } from './files/read-capture.js'
import { NO_KEYS, type KeySource } from './tls/key-log.js'
import { TlsFollower, type TlsContent } from './tls/follower.js'
import { whyUnopened } from './decode/tls-naming.js'
import { formatSecret, formatValue, messageOf, type Message, type MessageField, type PayloadDecoder } from './decode/payload.js'

export interface FieldCheck { readonly field: string, readonly wanted: string, readonly got: string, readonly ok: boolean }

export interface FigureResult {
  readonly figure: FigureLayout['figure']
  /** As in `201 equipment registration`. */
  readonly packet: string
  /** `uncaptured`: no capture shows this side, so nothing was compared. */
  readonly result: 'passed' | 'failed' | 'missing' | 'uncaptured'
  /** The capture that was searched; for `uncaptured`, the one that is wanted. */
  readonly interface: string
  /** The frame that matches, or the nearest one; null when there is none. */
  readonly frame: number | null
  readonly checks: readonly FieldCheck[]
}

export interface FigureReport {
  readonly results: readonly FigureResult[]
  /** Packets that were compared with a layout. A report of none fails. */
  readonly compared: number
  readonly ok: boolean
}

export interface FigureCheckOptions {
  readonly decoder: PayloadDecoder
  /** Open the packets of TLS connections. */
  readonly keys?: KeySource
  readonly run?: FigureRun
  /** When given, the password must be this one; else any. Its value is not shown in either case. */
  readonly password?: string
  /** True: layouts of which no capture shows the side do not count against the report. */
  readonly partial?: boolean
}

/** Every field of one packet against a layout; the payload is that of `tls`, if the packet belongs to a TLS connection. */
export function checkPacket(
  bytes: Uint8Array, layout: FigureLayout, { decoder, password }: Pick<FigureCheckOptions, 'decoder' | 'password'>, tls: TlsContent | null = null, linkType: number = LINK_TYPE.ethernet,
): FieldCheck[] {
  const packet = decode(bytes, linkType)
  const { transport } = packet
  if (transport === null) return [compare('protocol', layout.protocol, packet.defect ?? packet.layers.at(-1)?.protocol ?? 'none')]
  const message = messageIn(transport, layout, decoder, tls)
  return [
    compare('protocol', layout.protocol, transport.protocol),
    compare('SA', formatIpv4(layout.source.address), formatIpv4(transport.source.address)),
    compare('DA', formatIpv4(layout.destination.address), formatIpv4(transport.destination.address)),
    compare('SP', layout.source.port, transport.source.port),
    compare('DP', layout.destination.port, transport.destination.port),
    compare('IPv4 checksum', 'right', checksumOf(packet, 'ipv4')),
    compare(`${layout.protocol.toUpperCase()} checksum`, 'right', checksumOf(packet, layout.protocol)),
    compare('packet', layout.number, message === null ? nameless(transport, tls) : message.number ?? message.name),
    ...checkPayload(layout, message, password),
  ]
}

/** The layout's own message, if it is there. */
const messageIn = (transport: Transport, { number }: FigureLayout, decoder: PayloadDecoder, tls: TlsContent | null): Message | null =>
  tls === null ? messageOf(transport, decoder) : tls.messages.find(message => message.number === number) ?? tls.messages.at(0) ?? null

function nameless({ payload }: Transport, tls: TlsContent | null): string {
  const sealed = tls?.items.find(item => item.kind === 'sealed')
  if (sealed?.kind === 'sealed') return `an encrypted one (${whyUnopened(sealed.why, tls?.lack ?? '')})`
  return tls === null ? `${payload.length} bytes of no known message` : 'TLS without a known message'
}

/** Finds each layout's packet. `captures` is by interface: `104a-lan`, `104b-wan`, `101` … */
export function checkFigures(captures: ReadonlyMap<string, Capture>, options: FigureCheckOptions): FigureReport {
  let compared = 0
  const results = figureLayouts(options.run).map((layout): FigureResult => {
    const found = layout.interfaces.find(name => captures.has(name))
    const common = { figure: layout.figure, packet: `${layout.number} ${layout.name}`, interface: found ?? layout.interfaces[0] }
    const capture = found === undefined ? undefined : captures.get(found)
    if (capture === undefined) return { ...common, result: 'uncaptured', frame: null, checks: [] }
    const nearest = findNearest(capture, layout, options)
    if (nearest === null) return { ...common, result: 'missing', frame: null, checks: [] }
    compared++
    return { ...common, result: nearest.wrong === 0 ? 'passed' : 'failed', frame: nearest.frame, checks: nearest.checks }
  })
  const holds = (result: FigureResult): boolean => result.result === 'passed' || (result.result === 'uncaptured' && options.partial === true)
  return { results, compared, ok: compared > 0 && results.every(holds) }
}

function findNearest(capture: Capture, layout: FigureLayout, options: FigureCheckOptions): { frame: number, checks: FieldCheck[], wrong: number } | null {
  let nearest: { frame: number, checks: FieldCheck[], wrong: number } | null = null
  const follower = new TlsFollower(options.keys ?? NO_KEYS, options.decoder)
  for (const { number, bytes, interface: { linkType } } of capture.packets) {
    const { transport } = decode(bytes, linkType)
    const tls = follower.follow('', transport)
    if (!isCandidate(transport, layout, options.decoder, tls)) continue
    const checks = checkPacket(bytes, layout, options, tls, linkType)
    const wrong = checks.filter(check => !check.ok).length
    if (nearest === null || wrong < nearest.wrong) nearest = { frame: number, checks, wrong }
    if (wrong === 0) break
  }
  return nearest
}

/** It says that it is the packet, or carries something between nearly the right ends. */
function isCandidate(transport: Transport | null, layout: FigureLayout, decoder: PayloadDecoder, tls: TlsContent | null): boolean {
  if (transport === null || transport.payload.length === 0) return false
  // Of TLS only what may be the packet: not the handshake, and what could not be opened only where nothing else comes nearer.
  if (tls !== null && tls.messages.length === 0 && !tls.items.some(item => item.kind === 'sealed')) return false
  const message = messageIn(transport, layout, decoder, tls)
  if (message !== null) return message.number === layout.number
  const right = [
    transport.protocol === layout.protocol,
    transport.source.address === layout.source.address, transport.destination.address === layout.destination.address,
    transport.source.port === layout.source.port, transport.destination.port === layout.destination.port,
  ].filter(Boolean).length
  return right >= 4
}

function checkPayload(layout: FigureLayout, message: Message | null, password: string | undefined): FieldCheck[] {
  const got = message?.fields ?? []
  const wantedOrder = layout.payload.map(field => field.name).join(', ')
  const gotOrder = got.slice(0, layout.payload.length).map(field => field.name).join(', ')
  return [
    compare('payload order', wantedOrder, gotOrder === '' ? 'no fields' : gotOrder),
    ...layout.payload.map(field => checkValue(field, got.find(each => each.name === field.name), password)),
  ]
}

function checkValue(wanted: LayoutField, got: MessageField | undefined, password: string | undefined): FieldCheck {
  if (got === undefined) return { field: wanted.name, wanted: wanted.value ?? 'present', got: 'absent', ok: false }
  if (wanted.value !== null) return compare(wanted.name, wanted.value, formatValue(got))
  const ok = password === undefined ? got.length > 0 : got.value === password
  return { field: wanted.name, wanted: password === undefined ? 'present' : formatSecret(Buffer.byteLength(password)), got: formatValue(got), ok }
}

const checksumOf = (packet: Decoded, protocol: Protocol): ChecksumVerdict | 'none' =>
  packet.layers.find(layer => layer.protocol === protocol)?.checksum ?? 'none'

const compare = (field: string, wanted: string | number, got: string | number): FieldCheck =>
  ({ field, wanted: String(wanted), got: String(got), ok: String(wanted) === String(got) })
