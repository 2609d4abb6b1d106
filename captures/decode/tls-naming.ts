// What packets of TLS are called: the document's number and name where it has them (Figs. 3 and 4), TLS's own name where not. A
// half of a key exchange may be a message of its own (215 and 216 up to TLS 1.2), stand in a hello (TLS 1.3), or in the server's
// certificate (fixed Diffie–Hellman, where the document has neither packet 216 nor information 72). RSA key transport has no 216.
import type { CipherSuite } from '../tls/cipher-suites.js'
import type { TlsItem } from '../tls/connection.js'
import type { TlsContent } from '../tls/follower.js'
import type { HandshakeMessage } from '../tls/handshake.js'
import type { Unopened } from '../tls/protection.js'
import { labelOf } from './payload.js'

/** The document's numbers for the handshake of a connection. */
export interface HandshakeNumbers {
  readonly clientHello: string
  readonly serverHello: string
  readonly certificate: string
  /** Key generation information of the client and of the server. */
  readonly clientKey: string
  readonly serverKey: string
}

export interface TlsName {
  /** What is worth a line; empty when all of it is TLS's own business. */
  readonly titles: readonly string[]
  /** What else is in the packet. */
  readonly beside: readonly string[]
  /** The number of the message in it, or null. */
  readonly number: string | null
}

/** `of` and `step` as in naming.ts: ` of 211`, `S209 `. */
export function nameTls({ items, messages, rest, lack }: TlsContent, numbers: HandshakeNumbers | undefined, of: string, step: string): TlsName {
  const parts = items.flatMap(item => nameItem(item, numbers, of, step, lack))
  const texts = [...messages.map(message => (message.number === null ? step : '') + labelOf(message)), ...rest > 0 ? [step === '' ? `data${of}` : `${step}data`] : []]
  const titles = parts.filter(part => part.isShown).map(part => part.text)
  return {
    titles: [...new Set([...titles, ...texts])], beside: [...new Set(parts.filter(part => !part.isShown).map(part => part.text))],
    number: messages.find(message => message.number !== null)?.number ?? null,
  }
}

interface Part { readonly text: string, readonly isShown: boolean }

const shown = (text: string): Part[] => [{ text, isShown: true }]
const aside = (text: string): Part[] => [{ text, isShown: false }]

function nameItem(item: TlsItem, numbers: HandshakeNumbers | undefined, of: string, step: string, lack: string): Part[] {
  switch (item.kind) {
    case 'handshake': return nameHandshake(item.message, item.suite, numbers, step)
    case 'change cipher spec': return aside(item.kind)
    case 'alert': return item.isFatal ? shown(`TLS alert${of}: ${item.description}`) : aside(item.description)
    case 'data': return []
    case 'sealed': return shown(`encrypted${of} (${whyUnopened(item.why, lack)})`)
    case 'defect': return shown(`TLS${of}: ${item.defect}`)
  }
}

/** As in `no key in keys.log`. */
export function whyUnopened(why: Unopened, lack: string): string {
  switch (why) {
    case 'key': return lack
    case 'tag': return 'wrong authentication tag'
    case 'suite': return 'this version or cipher suite is not read'
    case 'beginning': return 'the capture lacks its beginning'
  }
}

function nameHandshake(message: HandshakeMessage, suite: CipherSuite | null, numbers: HandshakeNumbers | undefined, step: string): Part[] {
  const numbered = (number: string | undefined, name: string): Part[] => shown(number === undefined ? step + name : `${number} ${name}`)
  const share = (number: string | undefined, isThere: boolean): Part[] => isThere && number !== undefined ? shown(`${number} key information`) : []
  switch (message.name) {
    case 'client hello': return [...numbered(numbers?.clientHello, message.name), ...share(numbers?.clientKey, message.hasKeyShare)]
    case 'server hello': return [...numbered(numbers?.serverHello, message.name), ...share(numbers?.serverKey, message.hasKeyShare)]
    case 'certificate': return numbered(numbers?.certificate, numbers === undefined ? message.name : `server certificate${isFixedExchange(suite) ? ' with key information' : ''}`)
    case 'server key exchange': return numbered(numbers?.serverKey, numbers === undefined ? message.name : 'key information')
    case 'client key exchange': return numbered(numbers?.clientKey, numbers === undefined ? message.name : 'key information')
    case 'hello retry request': return shown(step + message.name)
    default: return aside(message.name)
  }
}

const isFixedExchange = (suite: CipherSuite | null): boolean => suite?.keyExchange.startsWith('DH_') === true
