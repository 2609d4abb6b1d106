// RFC 4787 §5 to §8, filtering, hairpinning, ALGs, determinism: REQ-8 to REQ-11.
import { BOTH_MAPPED, FLOW, UDP_IN } from './flows.js'
import { grid } from './grid.js'
import type { Requirement } from './requirement.js'

const HAIRPINNED = `${BOTH_MAPPED}
  lan udp B:3000 > R:2000 'there'
  → lan udp R:3000 > A:2000 'there'
  lan udp A:2000 > R:3000 'back'
  → lan udp R:2000 > B:3000 'back'`

export const FILTERING: readonly Requirement[] = [
  {
    clause: 'REQ-8', level: 'should', text: 'should have endpoint-independent filtering for transparency, or address-dependent filtering for strictness',
    cases: [
      {
        name: 'endpoint-independent: anybody reaches the mapping', option: { filtering: { udp: 'endpoint-independent' } },
        script: `${FLOW}
          wan udp T:9000 > R:2000
          → lan udp T:9000 > A:2000`,
      },
      {
        name: 'address-dependent: any port of an address that was sent to', option: { filtering: { udp: 'address-dependent' } },
        script: `${FLOW}
          wan udp S:9000 > R:2000
          → lan udp S:9000 > A:2000
          wan udp T:9000 > R:2000
          → dropped filtered`,
      },
    ],
    also: [{
      name: 'the default is stricter: address and port-dependent',
      script: `${FLOW}
        ${UDP_IN}
        wan udp S:9000 > R:2000
        → dropped filtered`,
    }],
    note: 'the default is address and port-dependent, what most NATs in the field do',
  },
  { clause: 'REQ-8a', level: 'may', text: 'may let its administrator choose the filtering', cases: grid('udp') },
  {
    clause: 'REQ-9', level: 'must', text: 'must support hairpinning',
    cases: [
      { name: 'two hosts of the LAN by their WAN endpoints', script: HAIRPINNED },
      {
        name: 'a host and itself',
        script: `${FLOW}
          lan udp A:2000 > R:2000
          → lan udp R:2000 > A:2000`,
      },
      {
        name: 'into a static mapping, from a host that had none', setup: { staticMappings: [{ protocol: 'udp', wanPort: 5000, address: '192.168.1.3', port: 1600 }] },
        script: `
          lan udp B:3000 > R:5000
          → lan udp R:3000 > A:1600
          lan udp A:1600 > R:3000
          → lan udp R:5000 > B:3000`,
      },
    ],
    also: [
      {
        name: 'off', option: { hairpinning: 'off' },
        script: `${BOTH_MAPPED}
          lan udp B:3000 > R:2000
          → dropped hairpinning-off`,
      },
      {
        name: 'filtered as from the WAN', option: { filterHairpinned: true },
        script: `${BOTH_MAPPED}
          lan udp B:3000 > R:2000
          → dropped filtered`,
      },
    ],
  },
  {
    clause: 'REQ-9a', level: 'must', text: 'must show a hairpinned packet\'s WAN address and port as its source',
    cases: [{ name: 'each host sees the other\'s WAN endpoint', script: HAIRPINNED }],
    also: [{
      name: 'internal source, by option', option: { hairpinning: 'internal-source' },
      script: `${BOTH_MAPPED}
        lan udp B:3000 > R:2000
        → lan udp B:3000 > A:2000`,
    }],
  },
  {
    clause: 'REQ-10', level: 'should', text: 'should have ALGs for UDP turned off',
    cases: [{
      name: 'SIP with a LAN address in it goes out as it is',
      script: `
        lan udp A:5060 > S:5060 'Contact: sip:a@192.168.1.3:5060'
        → wan udp R:5060 > S:5060 'Contact: sip:a@192.168.1.3:5060'`,
    }],
  },
  {
    clause: 'REQ-10a', level: 'should', text: 'should, if it has ALGs, let each be turned on and off',
    cases: [{
      name: 'there is none: an RTSP answer passes untouched',
      script: `
        lan udp A:554 > S:9000 'RTP-Info: url=192.168.1.3;rtptime=1'
        → wan udp R:554 > S:9000 'RTP-Info: url=192.168.1.3;rtptime=1'`,
    }],
  },
  {
    clause: 'REQ-11', level: 'must', text: 'must be deterministic: mapping and filtering never change by circumstances',
    cases: [
      {
        name: 'neither does when a port is taken',
        script: `${FLOW}
          lan udp B:2000 > S:1200
          → wan udp R:$p > S:1200
          lan udp B:2000 > T:9000
          → wan udp R:$p > T:9000
          wan udp S:1201 > R:$p
          → dropped filtered
          wan udp S:1201 > R:2000
          → dropped filtered`,
      },
      {
        name: 'neither does when a mapping has lapsed',
        script: `${FLOW}
          pass 300s
          lan udp A:2000 > T:9000
          → wan udp R:2000 > T:9000
          lan udp A:2000 > S:1200
          → wan udp R:2000 > S:1200
          wan udp S:1201 > R:2000
          → dropped filtered`,
      },
    ],
  },
]
