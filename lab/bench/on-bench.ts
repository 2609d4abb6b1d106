// What is allowed on a bench and nowhere else, and how a process knows that it is on one.
//
// SSL 3.0 (endpoints/ssl3) is broken. What it protects must not leave the bench, which is a matter of the network namespace that a
// process's sockets live in. So the keeper's record has to be there, in the bench's own /run, and the network that this process is
// in has to be one of those that the record names. A process beside a bench sees no record; one that has entered the bench's mounts
// but not its network is still in the machine's. To get around it takes root, or a mount namespace of one's own with a record made
// up for it and a network bound to its name: nobody does that by mistake.
import { statSync } from 'node:fs'
import type { OpenChannel } from '../../endpoints/channel/channel.js'
import type { Trust } from '../../endpoints/channel/certificate-check.js'
import type { Identity, OnKeys } from '../../endpoints/channel/tls-channel.js'
import { ssl3ClientChannel, ssl3ServerChannel } from '../../endpoints/ssl3/channel.js'
import type { KeyExchange } from '../../endpoints/ssl3/suites.js'
import { BenchError } from './bench.js'
import { readRecord } from './find.js'
import { NAMESPACE_FOLDER } from './namespaces.js'

/** How a server on a bench opens channels under SSL 3.0. @throws BenchError anywhere else; as ssl3ServerChannel */
export function ssl3ServerOnBench(keyExchange: KeyExchange, identity: Identity, onKeys?: OnKeys): OpenChannel {
  requireBench()
  return ssl3ServerChannel(keyExchange, identity, onKeys)
}

/** How a client on a bench opens channels under SSL 3.0. @throws BenchError anywhere else; as ssl3ClientChannel */
export function ssl3ClientOnBench(keyExchange: KeyExchange, trust: Trust, onKeys?: OnKeys): OpenChannel {
  requireBench()
  return ssl3ClientChannel(keyExchange, trust, onKeys)
}

/** @throws BenchError unless this process is on a host of a bench */
export function requireBench(): void {
  if (hostOfProcess() === null) {
    throw new BenchError('SSL 3.0 is broken and runs on the hosts of a bench alone: choose another encryption, or `naptlab run fig2 --encryption ssl3`')
  }
}

/** The host of a bench that this process is on; null when it is on none. */
function hostOfProcess(): string | null {
  const hosts = readRecord('self')?.namespaces.filter(({ kind }) => kind === 'host') ?? []
  const network = identityOf('/proc/self/ns/net')
  return hosts.find(({ name }) => identityOf(`${NAMESPACE_FOLDER}/${name}`) === network)?.name ?? null
}

/** What tells a network namespace from every other thing that a path may lead to; null where it leads nowhere. */
function identityOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? null : `${found.dev}:${found.ino}`
}
