// The options that say how the connections with a server are encrypted: what people give, checked, as the channels of either end.
import { readFileSync } from 'node:fs'
import { ENCRYPTIONS, EndpointError, KEY_EXCHANGES, isUnderTls, keyExchangeOf, keyLog, plainChannel, secureClient, secureServer } from '../endpoints/index.js'
import { UsageError } from './errors.js'
import type { Data, Encryption, KeyExchange, OnKeys, OpenChannel } from '../endpoints/index.js'
import type { Options } from 'yargs'

const common = {
  'encryption': { choices: ENCRYPTIONS, default: 'tls1.3' as Encryption, describe: 'of the connections with the server; ssl3 is insecure, and for a bench alone' },
  'key-exchange': { choices: KEY_EXCHANGES, describe: 'tls1.2: rsa or dhe; the others leave no choice [dhe]' },
  'keylog': { type: 'string', describe: 'append the keys of every connection to this file (SSLKEYLOGFILE); they open what was captured' },
} as const satisfies Record<string, Options>

export const serverEncryption = {
  ...common,
  certificate: { type: 'string', describe: "file with the server's certificate, which names its address (PEM)" },
  key: { type: 'string', describe: 'file with the private key of that certificate (PEM)' },
} as const satisfies Record<string, Options>

export const clientEncryption = {
  ...common,
  ca: { type: 'string', describe: "file with the certificate of the CA that issued the server's (PEM)" },
} as const satisfies Record<string, Options>

interface CommonArguments {
  readonly encryption: Encryption
  readonly keyExchange?: KeyExchange | undefined
  readonly keylog?: string | undefined
}
interface ServerArguments extends CommonArguments { readonly certificate?: string | undefined, readonly key?: string | undefined }
interface ClientArguments extends CommonArguments { readonly ca?: string | undefined }

const WITHOUT = 'or give --encryption none for connections that everybody on the path can read'

/** @throws UsageError */
export function serverChannel(options: ServerArguments): OpenChannel {
  const { certificate, key, keyExchange } = options
  const encryption = checked(options, { certificate, key })
  if (encryption === 'none') return plainChannel
  if (certificate === undefined || key === undefined) throw new UsageError(`--encryption ${encryption} needs --certificate and --key: what a CA has issued for this server, and the private key; ${WITHOUT}`)
  const identity = { certificate: read('certificate', certificate), key: read('key', key) }
  return usable(`${certificate} and ${key}`, () => secureServer({ encryption, keyExchange, ...identity, onKeys: keysOf(options) }))
}

/** @param serverName the server's address or name, as given. @throws UsageError */
export function clientChannel(options: ClientArguments, serverName: string): OpenChannel {
  const { ca: file, keyExchange } = options
  const encryption = checked(options, { ca: file })
  if (encryption === 'none') return plainChannel
  if (file === undefined) throw new UsageError(`--encryption ${encryption} needs --ca: the certificate of the CA that issued the server's; ${WITHOUT}`)
  const ca = read('ca', file)
  return usable(file, () => secureClient({ encryption, keyExchange, ca, serverName, onKeys: keysOf(options) }))
}

/** @throws UsageError when S209 cannot be encrypted as the rest is */
export function checkData(data: Data | undefined, { encryption }: CommonArguments, level: number): void {
  if (data === undefined || !isUnderTls(data)) return
  if (encryption === 'none') throw new UsageError(`--data ${data} needs connections with the server that are encrypted: the key travels on them.`)
  if (level === 1) throw new UsageError(`--data ${data} needs level 2 or 3: at level 1 the request, and the key with it, would go by UDP in the clear.`)
}

/** Where the keys of this program's connections go, if anywhere. @throws UsageError */
export function keysOf({ keylog }: Pick<CommonArguments, 'keylog'>): OnKeys | undefined {
  if (keylog === undefined) return undefined
  try {
    return keyLog(keylog)
  } catch (error) {
    throw new UsageError(`the key log cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The variant, if this program does it, and nothing was given that it has no use for. */
function checked(options: CommonArguments, files: Readonly<Record<string, string | undefined>>): 'none' | 'tls1.3' | 'tls1.2' {
  const { encryption, keyExchange, keylog } = options
  if (encryption === 'ssl3') throw new UsageError('SSL 3.0 is broken and runs on a bench alone: naptlab run fig2 --encryption ssl3. Here: tls1.3 or tls1.2.')
  usable('--key-exchange', () => keyExchangeOf(encryption, keyExchange))
  if (encryption === 'none') {
    const unused = Object.entries({ ...files, keylog }).find(([, file]) => file !== undefined)
    if (unused) throw new UsageError(`--${unused[0]} has no use with --encryption none; leave one of the two out.`)
  }
  return encryption
}

function usable<T>(what: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof EndpointError ? new UsageError(`${what}: ${error.message}`) : error
  }
}

function read(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`the file of --${option} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
