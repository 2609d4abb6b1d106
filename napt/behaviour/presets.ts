// Known NATs by the names that people use, each only a set of choices on top of DEFAULT_BEHAVIOUR. What a public document says
// is named as its source; what none says is called typical. Nothing here was measured on a device.

export interface Preset {
  readonly name: string
  /** One sentence. */
  readonly title: string
  /** What the choices rest on, and where they cannot say all that the source does. */
  readonly source: string
  /** As parseBehaviour reads it. */
  readonly nat: Readonly<Record<string, unknown>>
}

const EIM = 'endpoint-independent', ADM = 'address-dependent', APDM = 'address-and-port-dependent'
/** What is not wanted is dropped without a word. */
const SILENT = { hold: 0, answer: 'none' }

export const PRESETS: readonly Preset[] = [
  {
    name: 'rfc-recommended',
    title: 'What RFC 4787, 5382, 5508 and 7857 recommend: the defaults.',
    source: 'RFC 4787, RFC 5382, RFC 5508, RFC 7857',
    nat: {},
  },
  {
    name: 'full-cone',
    title: 'One mapping for all destinations, and anybody may send to it.',
    source: 'RFC 3489 §5, in the words of RFC 4787 §4.1 and §5; all else as the RFCs recommend',
    nat: { mapping: EIM, filtering: EIM },
  },
  {
    name: 'restricted-cone',
    title: 'One mapping for all destinations; the addresses that the host has sent to may send to it, from any port.',
    source: 'RFC 3489 §5, in the words of RFC 4787 §4.1 and §5; all else as the RFCs recommend',
    nat: { mapping: EIM, filtering: ADM },
  },
  {
    name: 'port-restricted-cone',
    title: 'One mapping for all destinations; only the endpoints that the host has sent to may send to it.',
    source: 'RFC 3489 §5, in the words of RFC 4787 §4.1 and §5; all else as the RFCs recommend',
    nat: { mapping: EIM, filtering: APDM },
  },
  {
    name: 'symmetric',
    title: 'A mapping of its own for each destination, which alone may send to it.',
    source: 'RFC 3489 §5, in the words of RFC 4787 §4.1 and §5; RFC 3489 does not say which ports it takes',
    nat: { mapping: APDM, filtering: APDM },
  },
  {
    name: 'linux-masquerade',
    title: 'Linux as a router: netfilter with MASQUERADE and connection tracking at their defaults.',
    source: 'Linux: Documentation/networking/nf_conntrack-sysctl.rst, net/netfilter/nf_nat_core.c (get_unique_tuple). UDP has 120 s there '
      + 'once packets went both ways and 30 s before; here it has the 120 s. tcpClosing is fin_wait, tcpReset is close',
    nat: {
      mapping: APDM, filtering: APDM,
      portAllocation: 'preserve', portCollision: 'random', keepWellKnownPorts: true, portOverloading: true,
      hairpinning: 'off',
      timeouts: { udp: 120, icmp: 30, tcpOpening: 120, tcpEstablished: 432_000, tcpClosing: 120, tcpReset: 10, other: 600 },
      unsolicitedSyn: { hold: 0, answer: 'reset' },
      otherProtocols: 'by-address', fragments: 'any-order',
    },
  },
  {
    name: 'openbsd-pf',
    title: 'OpenBSD as a router: pf with nat-to and the time-outs of its `normal` optimization.',
    source: 'OpenBSD: pf.conf(5), sys/net/pfvar.h (PFTM_*_VAL, PF_NAT_PROXY_PORT_*). tcpClosing is tcp.closing; that pf drops what its '
      + 'rules do not pass, without an answer, is typical',
    nat: {
      mapping: APDM, filtering: APDM,
      portAllocation: 'random', portRange: { from: 50_001, to: 65_535 }, keepWellKnownPorts: false, portOverloading: true,
      hairpinning: 'off',
      timeouts: { udp: 60, icmp: 20, tcpOpening: 30, tcpEstablished: 86_400, tcpClosing: 900, tcpReset: 90, other: 60 },
      unsolicitedSyn: SILENT,
      otherProtocols: 'by-address',
    },
  },
  {
    name: 'home-gateway',
    title: 'A typical home router of the better kind.',
    source: 'typical, near RFC 4787 and RFC 5382; home routers differ widely (Hätönen et al., An Experimental Study of Home Gateway '
      + 'Characteristics, IMC 2010)',
    nat: {
      mapping: EIM, filtering: APDM,
      portAllocation: 'preserve', portCollision: 'sequential',
      hairpinning: 'external-source',
      timeouts: { udp: 300, tcpEstablished: 7440 },
      unsolicitedSyn: SILENT,
      otherProtocols: 'by-address',
    },
  },
  {
    name: 'carrier-grade',
    title: 'A carrier-grade NAT: paired addresses, random ports that rest after use, limits for each subscriber.',
    source: 'RFC 6888 REQ-2, REQ-4, REQ-5, REQ-7, REQ-8; RFC 7857 §10. The sizes of the limits are typical: RFC 6888 leaves them to the operator',
    nat: {
      mapping: EIM, filtering: EIM,
      pooling: 'paired', portAllocation: 'random', portRange: { from: 1024, to: 65_535 }, keepWellKnownPorts: false, portReuseDelay: 120,
      hairpinning: 'external-source',
      limits: { mappingsPerHost: 2000, sessionsPerHost: 4000, newSessionsPerSecond: 200 },
    },
  },
  {
    name: 'deterministic-cgn',
    title: 'A carrier-grade NAT that gives each subscriber a fixed block of ports, so that nothing need be logged.',
    source: 'RFC 7422 §2; RFC 6888 REQ-2, REQ-7, REQ-14. The size of the block, 32 hosts for each WAN address, is typical',
    nat: {
      mapping: EIM, filtering: EIM,
      pooling: 'paired', portAllocation: 'random', portRange: { from: 1024, to: 65_535 }, keepWellKnownPorts: false, portBlock: 2016,
      hairpinning: 'external-source',
    },
  },
  {
    name: 'aws-nat-gateway',
    title: 'A public NAT gateway of Amazon VPC.',
    source: 'Amazon VPC User Guide, NAT gateway basics: 55,000 connections to each unique destination, ports 1024 to 65535, TCP, UDP and ICMP '
      + 'only, 350 s idle. Random ports, silence and no hairpinning are typical. It drops fragments of TCP and ICMP; here those of all pass',
    nat: {
      mapping: APDM, filtering: APDM,
      portAllocation: 'random', portRange: { from: 1024, to: 65_535 }, keepWellKnownPorts: false, portOverloading: true,
      hairpinning: 'off',
      timeouts: { udp: 350, icmp: 350, tcpOpening: 350, tcpEstablished: 350, tcpClosing: 350, tcpReset: 350 },
      unsolicitedSyn: SILENT,
      otherProtocols: 'drop',
    },
  },
  {
    name: 'azure-nat-gateway',
    title: 'An Azure NAT Gateway with its idle time-out of four minutes.',
    source: 'Azure documentation, NAT gateway resource: SNAT ports, port reuse timers, idle timeout timers, limitations. It passes no ICMP '
      + 'at all; here ICMP passes. No hairpinning is typical',
    nat: {
      mapping: APDM, filtering: APDM,
      portAllocation: 'random', portRange: { from: 1024, to: 65_535 }, keepWellKnownPorts: false, portOverloading: true,
      hairpinning: 'off',
      timeouts: { udp: 240, tcpOpening: 30, tcpEstablished: 240, tcpClosing: 65, tcpReset: 16 },
      unsolicitedSyn: { hold: 0, answer: 'reset' },
      otherProtocols: 'drop', fragments: 'drop',
    },
  },
  {
    name: 'gcp-cloud-nat',
    title: 'Google Cloud NAT with static port allocation, without endpoint-independent mapping.',
    source: 'Google Cloud NAT documentation: addresses and ports (64 ports for each VM), tune NAT configuration (30 s, 1200 s, 120 s after '
      + 'closing). Random ports, silence and no hairpinning are typical',
    nat: {
      mapping: APDM, filtering: APDM,
      portAllocation: 'random', portRange: { from: 1024, to: 65_535 }, keepWellKnownPorts: false, portOverloading: true, portBlock: 64,
      hairpinning: 'off',
      timeouts: { udp: 30, icmp: 30, tcpOpening: 30, tcpEstablished: 1200, tcpClosing: 120, tcpReset: 30 },
      unsolicitedSyn: SILENT,
      otherProtocols: 'drop',
    },
  },
  {
    name: 'corporate-firewall',
    title: 'A typical firewall of a company: symmetric, impatient, silent.',
    source: 'time-outs: Cisco ASA Firewall CLI configuration guide, connection settings (global timeouts, embryonic connections); all else is typical',
    nat: {
      mapping: APDM, filtering: APDM,
      portAllocation: 'random', portRange: { from: 1024, to: 65_535 }, keepWellKnownPorts: false,
      hairpinning: 'off',
      timeouts: { udp: 120, icmp: 2, tcpOpening: 30, tcpEstablished: 3600, tcpClosing: 600, tcpReset: 10 },
      refresh: 'both',
      unsolicitedSyn: SILENT,
      otherProtocols: 'drop', fragments: 'in-order',
    },
  },
  {
    name: 'worst-case',
    title: 'What a program has to expect at worst: what works here works behind most NATs.',
    source: 'choices that RFC 4787 §4.1, §4.3, §6, §11 and RFC 5382 §4.3 advise against or only tolerate; UDP mappings of 30 s were the shortest '
      + 'among the home gateways of Hätönen et al., IMC 2010. The other times are typical',
    nat: {
      mapping: APDM, filtering: APDM,
      portAllocation: 'random', keepWellKnownPorts: false,
      hairpinning: 'internal-source', filterHairpinned: true,
      timeouts: { udp: 30, icmp: 10, tcpOpening: 20, tcpEstablished: 300, tcpClosing: 20, tcpReset: 1 },
      refresh: 'outbound',
      unsolicitedSyn: { hold: 0, answer: 'reset' },
      otherProtocols: 'drop', fragments: 'drop',
    },
  },
]

export const PRESET_NAMES: readonly string[] = PRESETS.map(preset => preset.name)

export const presetNamed = (name: string): Preset | undefined => PRESETS.find(preset => preset.name === name)
