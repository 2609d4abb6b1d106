// Figs. 7A–7D and 8A–8D as data: what the four packets look like on either side of the router they cross.
// The document contradicts itself about 8B; both readings are here (see FigureRun).
import { parseEndpoint, type Endpoint } from '../napt/wire/address.js'
import { tcpFrame, udpFrame, type FrameOptions } from '../napt/wire/frame.js'
import { FLAG } from '../napt/wire/tcp.js'

export const FIGURES = ['7A', '7B', '7C', '7D', '8A', '8B', '8C', '8D'] as const
export type FigureName = typeof FIGURES[number]

/**
 * `fig2`: the mapping of 192.168.1.3:2000 has WAN port 3400 throughout, as in Figs. 7B, 9 and 12 and the text.
 * `fig8b`: the mapping lapsed and was made again as 2400, the digits of Fig. 8B; the 201 that told the server so has it too.
 */
export type FigureRun = 'fig2' | 'fig8b'

export interface LayoutField {
  readonly name: string
  /** Null: any value, because it is a parameter of the run and a secret. */
  readonly value: string | null
}

export interface FigureLayout {
  readonly figure: FigureName
  /** The document's number and name of the packet. */
  readonly number: string
  readonly name: string
  readonly side: 'LAN' | 'WAN'
  /** Where the packet is seen, best witness first. */
  readonly interfaces: readonly string[]
  readonly protocol: 'udp' | 'tcp'
  readonly source: Endpoint
  readonly destination: Endpoint
  /** In the order of the figure; a packet may carry more behind them. */
  readonly payload: readonly LayoutField[]
}

const EQUIPMENT_ID: LayoutField = { name: 'equipment ID', value: '2133' }
const PASSWORD: LayoutField = { name: 'password', value: null }
const ISSUER: readonly LayoutField[] = [{ name: 'IP address', value: '4.17.168.2' }, { name: 'port', value: '5000' }]
const NOTIFICATION: LayoutField = { name: 'connection request notification flag', value: 'set' }

const PACKETS = {
  201: { number: '201', name: 'equipment registration', protocol: 'udp', payload: [EQUIPMENT_ID] },
  217: { number: '217', name: 'connection request', protocol: 'tcp', payload: [EQUIPMENT_ID, PASSWORD, ...ISSUER] },
  205: { number: '205', name: 'connection request notification', protocol: 'udp', payload: [NOTIFICATION] },
  226: { number: '226', name: 'connection request', protocol: 'tcp', payload: [PASSWORD, ...ISSUER] },
} as const

const SERVER = '130.74.23.6'
const ISSUER_LAN = ['104a-lan', '102'], ISSUER_WAN = ['104a-wan', '101'], ACCEPTOR_LAN = ['104b-lan', '103'], ACCEPTOR_WAN = ['104b-wan', '101']

/** The eight layouts as they hold in `run`, in the figures' order. */
export function figureLayouts(run: FigureRun = 'fig2'): readonly FigureLayout[] {
  const registered = `202.204.16.13:${run === 'fig8b' ? 2400 : 3400}`
  const layout = (figure: FigureName, packet: keyof typeof PACKETS, side: 'LAN' | 'WAN', interfaces: readonly string[], source: string, destination: string): FigureLayout =>
    ({ figure, ...PACKETS[packet], side, interfaces, source: parseEndpoint(source), destination: parseEndpoint(destination) })
  return [
    layout('7A', 201, 'LAN', ACCEPTOR_LAN, '192.168.1.3:2000', `${SERVER}:1200`),
    layout('7B', 201, 'WAN', ACCEPTOR_WAN, registered, `${SERVER}:1200`),
    layout('7C', 217, 'LAN', ISSUER_LAN, '192.168.1.11:1500', `${SERVER}:1201`),
    layout('7D', 217, 'WAN', ISSUER_WAN, '4.17.168.2:7000', `${SERVER}:1201`),
    layout('8A', 205, 'LAN', ACCEPTOR_LAN, `${SERVER}:1200`, '192.168.1.3:2000'),
    layout('8B', 205, 'WAN', ACCEPTOR_WAN, `${SERVER}:1200`, registered),
    layout('8C', 226, 'LAN', ACCEPTOR_LAN, `${SERVER}:1300`, '192.168.1.3:2600'),
    layout('8D', 226, 'WAN', ACCEPTOR_WAN, `${SERVER}:1300`, '202.204.16.13:2401'),
  ]
}

/** The packet of a layout, with `payload` as the endpoints' codec writes it; what `naptlab emit` sends. */
export function frameFor(layout: FigureLayout, payload: Uint8Array, options: FrameOptions = {}): Uint8Array {
  return layout.protocol === 'udp'
    ? udpFrame(layout.source, layout.destination, payload, options)
    : tcpFrame(layout.source, layout.destination, FLAG.psh | FLAG.ack, payload, options)
}
