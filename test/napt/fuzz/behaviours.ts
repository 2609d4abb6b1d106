// The behaviours that are fuzzed: every family of mapping, filtering, addresses, ports, hairpinning and fragments is in one of them.
// Ports and sessions are few, so that they run out.
import type { FuzzOptions } from './subject.js'

const LIMITS = { sessions: 400 }
const POOL = ['202.204.16.14', '202.204.16.15', '202.204.16.16']
const FEW = { from: 4990, to: 5089 }
const ALL_STATIC = [
  { protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 2000 },
  { protocol: 'udp', wanPort: 5001, address: '192.168.1.11', port: 2001 },
]

export const FUZZED: Readonly<Record<string, FuzzOptions>> = {
  'defaults, a static mapping': { nat: { staticMappings: ALL_STATIC, limits: LIMITS } },
  'address-dependent, random ports, a small WAN cable': {
    mtu: { wan: 576 },
    nat: { mapping: 'address-dependent', filtering: 'address-dependent', portAllocation: 'random', maximumSegment: 536, portRange: FEW, limits: LIMITS, unsolicitedSyn: { answer: 'reset' } },
  },
  'symmetric, hairpins filtered, refreshed from inside': {
    nat: {
      portAllocation: 'sequential', mapping: 'address-and-port-dependent', filterHairpinned: true, refresh: 'outbound', portRange: FEW, limits: { sessions: 100, icmpErrorsPerSecond: 2 },
      unsolicitedSyn: { hold: 1, answer: 'unreachable' }, firstPort: { tcp: 5050, udp: 5020, icmp: 65530 },
    },
  },
  'full cone, internal hairpins, parity and contiguity': {
    mtu: { lan: 400 },
    nat: { filtering: 'endpoint-independent', hairpinning: 'internal-source', portCollision: 'random', portParity: true, portContiguity: true, portRange: FEW, limits: LIMITS },
  },
  'an arbitrary pool, overloaded': {
    nat: { portAllocation: 'sequential', mapping: 'address-and-port-dependent', pool: POOL, pooling: 'arbitrary', portOverloading: true, portRange: { from: 4990, to: 4999 }, limits: LIMITS, unsolicitedSyn: { answer: 'none' }, otherProtocols: 'by-address' },
  },
  'a paired pool with limits, ports that rest': {
    nat: {
      pool: POOL.slice(0, 2), filtering: 'address-dependent', portAllocation: 'random', portReuseDelay: 100, portRange: FEW, keepWellKnownPorts: false,
      limits: { ...LIMITS, mappingsPerHost: 20, sessionsPerHost: 30, newSessionsPerSecond: 10 },
    },
  },
  'addresses alone': { nat: { translation: 'addresses', pool: POOL.slice(0, 2), filtering: { tcp: 'address-and-port-dependent', udp: 'endpoint-independent', icmp: 'address-dependent' }, otherProtocols: 'by-address', limits: LIMITS } },
  'one-to-one beside a shared address': {
    mtu: { lan: 576, wan: 700 },
    nat: {
      portCollision: 'refuse', oneToOne: [{ wanAddress: '202.204.16.15', address: '192.168.1.3' }, { wanAddress: '202.204.16.16', address: '192.168.1.4' }],
      otherProtocols: 'by-address', limits: LIMITS,
    },
  },
  'blocks of ports, fragments in order, no hairpins': {
    nat: { pool: POOL.slice(0, 2), portAllocation: 'sequential', portBlock: 8, portRange: { from: 5000, to: 5799 }, fragments: 'in-order', hairpinning: 'off', refresh: 'inbound', mapping: 'address-dependent', limits: LIMITS },
  },
  'no fragments': { nat: { portAllocation: 'sequential', fragments: 'drop', mapping: { tcp: 'address-and-port-dependent', udp: 'endpoint-independent', icmp: 'address-dependent' }, filtering: 'endpoint-independent', limits: { sessions: 60 } } },
}
