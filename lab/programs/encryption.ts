// How a program on a bench encrypts its connections with the server: from its task (endpoint-task.ts) to its channels.
import type { OpenChannel } from '../../endpoints/channel/channel.js'
import { secureClient, secureServer } from '../../endpoints/channel/encryption.js'
import type { Encryption, KeyExchange } from '../../endpoints/channel/variants.js'
import { plainChannel } from '../../endpoints/channel/socket-channel.js'
import { keyLog } from '../../endpoints/key-log.js'

export interface Variant { readonly encryption: Exclude<Encryption, 'none'>, readonly keyExchange: KeyExchange }

/** Of a server's task: its key pair and certificate (PEM), and the file that the keys of its connections go to. */
export interface ServerSecurity extends Variant { readonly key: string, readonly certificate: string, readonly keyLog: string }

/** Of a client's task: the CA certificate 55 (PEM), and how the server is named in its own. */
export interface ClientSecurity extends Variant { readonly ca: string, readonly serverName: string }

/** The server's channels; in the clear without security. @throws EndpointError, BenchError as secureServer and ssl3ServerOnBench */
export async function serverChannel(security: ServerSecurity | undefined): Promise<OpenChannel> {
  if (security === undefined) return plainChannel
  const { encryption, keyExchange, key, certificate } = security, onKeys = keyLog(security.keyLog)
  return encryption === 'ssl3' ? (await import('../bench/on-bench.js')).ssl3ServerOnBench(keyExchange, { key, certificate }, onKeys) : secureServer({ encryption, keyExchange, key, certificate, onKeys })
}

/** A client's channels to the server; in the clear without security. @throws EndpointError, BenchError as secureClient and ssl3ClientOnBench */
export async function clientChannel(security: ClientSecurity | undefined): Promise<OpenChannel> {
  if (security === undefined) return plainChannel
  const { encryption, keyExchange, ca, serverName } = security
  return encryption === 'ssl3' ? (await import('../bench/on-bench.js')).ssl3ClientOnBench(keyExchange, { ca, serverName }) : secureClient({ encryption, keyExchange, ca, serverName })
}
