// What became of captures that were put through a NAT, in words and as data.
import { ASIDE, type Aside } from '../lab/translate/places.js'
import type { TranslateReport } from '../lab/translate/translate.js'
import { DROP_REASON_NAMES } from '../napt/verdict.js'
import { formatIpv4 } from '../napt/wire/address.js'
import { columns } from './tables.js'

export function reportLines({ output, nat, lan, wanAddress, packets, arrived, answers, aside, counters, mappings, written }: TranslateReport): string[] {
  const { forwarded, answered, held, dropped } = counters
  const some = (rows: readonly (readonly [string, number])[]): [string, string][] => rows.filter(([, count]) => count > 0).map(([what, count]) => [what, String(count)])
  return [
    `${output}: NAT ${nat}, LAN ${formatIpv4(lan.address)}/${lan.length}, WAN ${formatIpv4(wanAddress)}`,
    ...columns([
      ['packets read', String(packets)],
      ['came in from the LAN', String(arrived.lan)],
      ['came in from the WAN', `${arrived.wan}${answers > 0 ? `, ${answers === arrived.wan ? 'all' : answers} of them turned back from what LAN hosts received` : ''}`],
      ...some((Object.keys(ASIDE) as Aside[]).map(reason => [`set aside: ${ASIDE[reason]}`, aside[reason] ?? 0])),
      ['forwarded from the LAN', String(forwarded.lan)], ['forwarded from the WAN', String(forwarded.wan)],
      ...some([['answered by the router', answered], ['held for a while', held]]),
      ...some(DROP_REASON_NAMES.map(reason => [`dropped: ${reason}`, dropped[reason]])),
      ['mappings made', String(mappings)], ['packets written', String(written)],
    ]),
  ]
}

/** Drop reasons that did not occur are left out. */
export function reportData({ output, nat, lan, wanAddress, packets, arrived, answers, aside, counters, mappings, written, damage }: TranslateReport): object {
  const { forwarded, answered, held, dropped } = counters
  return {
    output, nat, lan: `${formatIpv4(lan.address)}/${lan.length}`, wanAddress: formatIpv4(wanAddress), packets, arrived, answers, aside, forwarded, answered, held,
    dropped: Object.fromEntries(Object.entries(dropped).filter(([, count]) => count > 0)), mappings, written,
    damage: damage.map(({ file, offset, found, advice }) => ({ file, offset, found, advice })),
  }
}
