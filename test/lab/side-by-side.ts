// The bench `discovery` with a router, a LAN and a host for each of several behaviours, so that they are judged at the same time:
// the judges' time is mostly time-outs.
import { discovery, type BenchDescription, type NetworkDescription } from '../../lab/index.js'

export const SERVER = '198.51.100.1', OTHER_ADDRESS = '203.0.113.1', GATEWAY = '192.168.1.1'

/** Router `natN` has the Nth behaviour; host `insideN` is behind it. */
export function sideBySide(behaviours: readonly unknown[], wan: NetworkDescription = {}): BenchDescription {
  const each = <T>(name: string, make: (number: number, nat: unknown) => T): Record<string, T> =>
    Object.fromEntries(behaviours.map((nat, index) => [`${name}${index + 1}`, make(index + 1, nat)]))
  return {
    name: 'side-by-side',
    networks: { wan, ...each('lan', () => ({})) },
    hosts: {
      stun: discovery.hosts.stun,
      ...each('inside', number => ({ network: `lan${number}`, address: '192.168.1.11/24', gateway: GATEWAY })),
    },
    routers: each('nat', (number, nat) => ({
      lan: { network: `lan${number}`, address: `${GATEWAY}/24` }, wan: { network: 'wan', address: `192.0.2.${number}` }, nat,
    })),
  }
}
