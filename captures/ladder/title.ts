// What a packet is called where its arrows show its ends.
import { isShared, type LadderPacket } from './ladder.js'

/** `udp, 12 bytes` for `udp 192.168.1.3:2000 → 130.74.23.6:1200, 12 bytes`, unless no arrow says so. */
export const shortTitle = ({ title, hops }: Pick<LadderPacket, 'title' | 'hops'>): string =>
  hops.length > 0 && hops.every(({ from, to }) => from !== to && !isShared(from) && !isShared(to)) ? title.replace(/^(udp|tcp|icmp) [\d.:]+ → [\d.:]+, /, '$1, ') : title
