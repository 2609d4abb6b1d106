// A ladder as a Mermaid sequence diagram: a participant a lane, an arrow a hop, a note a step; what is dropped ends in a cross,
// with its reason beneath. No text of the capture's can end a line or begin a directive.
import { printable } from '../decode/text-width.js'
import type { Ladder, LadderPacket, LadderStep, Lane } from './ladder.js'
import { formatSize } from './text.js'
import { shortTitle } from './title.js'

export interface LadderMermaidOptions {
  /** Entries of class detail too: acknowledgements and the like. */
  readonly detail?: boolean
  /** The numbers of frames, too. */
  readonly frames?: boolean
}

/** @returns the text of a diagram, as it stands between ```mermaid and ``` */
export function ladderToMermaid({ title, lanes, entries, notes = [] }: Ladder, options: LadderMermaidOptions = {}): string {
  const ids = new Map(lanes.map((lane, at) => [lane.name, `L${at + 1}`]))
  const shown = entries.filter(entry => entry.kind === 'step' || !entry.isDetail || options.detail === true)
  const whole = lanes.length > 1 ? `L1,L${lanes.length}` : 'L1'
  return [
    'sequenceDiagram',
    `title ${escapeMermaid(title)}`,
    ...lanes.map((lane, at) => `participant L${at + 1} as ${nameOf(lane)}`),
    ...shown.flatMap(entry => entry.kind === 'step' ? stepLines(entry, ids) : packetLines(entry, ids, options)),
    ...lanes.length === 0 ? [] : notes.map(note => `Note over ${whole}: ${escapeMermaid(note)}`),
  ].map((line, at) => `${at === 0 ? '' : '  '}${line}\n`).join('')
}

/** Mermaid's own escapes (`#59;`) for what its grammar gives a meaning: comments, directives, ends of statements, HTML. */
export const escapeMermaid = (text: string): string => {
  const isTaken = /style|classdef|wrap/i.test(text)
  const escaped = printable(text).replaceAll(/\p{Cs}/gu, '\ufffd').replaceAll(/[#;<>&"`%{}\\]/g, mark => `#${mark.charCodeAt(0)};`)
  // A colon behind these words is Mermaid's.
  return (isTaken ? escaped.replaceAll(':', '#58;') : escaped).trim() || '-'
}

function nameOf({ name, address, isRouter = false }: Lane): string {
  const second = address === '' || address === name ? [] : [address]
  return [isRouter ? `⇄ ${name}` : name, ...second].map(escapeMermaid).join('<br/>')
}

function packetLines(entry: LadderPacket, ids: ReadonlyMap<string, string>, { detail = false, frames: showFrames = false }: LadderMermaidOptions): string[] {
  const { hops, drop, figures, size, count, isRepeat, frames = [], beside = [] } = entry
  const facts = [
    ...detail && beside.length > 0 ? [`(${beside.join(', ')})`] : [], ...count > 1 || isRepeat ? [`×${count}${isRepeat ? ' more' : ''}`] : [], ...size > 0 ? [formatSize(size)] : [],
    ...figures.map(({ figure, ok }) => `${figure} ${ok ? '✓' : '✗'}`), ...showFrames && frames.length > 0 ? [`frame ${frames.join(', ')}`] : [],
  ]
  const title = [shortTitle(entry), ...facts].join(' ')
  const arrows = hops.flatMap(({ from, to, label }, at) => {
    const isLost = drop !== undefined && at === hops.length - 1
    const [source, destination] = [ids.get(from), ids.get(to)]
    return source === undefined || destination === undefined ? [] : [`${source}${isLost ? '--x' : '->>'}${destination}: ${escapeMermaid(at === 0 ? `${label} · ${title}` : label)}`]
  })
  const at = ids.get(drop?.lane ?? '')
  const reason = drop === undefined || at === undefined ? [] : [`Note over ${at}: ${escapeMermaid(`${arrows.length === 0 ? `${title}, ` : ''}dropped: ${drop.reason}`)}`]
  return [...arrows, ...reason]
}

function stepLines({ lane, name, note }: LadderStep, ids: ReadonlyMap<string, string>): string[] {
  const at = ids.get(lane)
  return at === undefined ? [] : [`Note over ${at}: ${escapeMermaid([name, note].filter(Boolean).join(' · '))}`]
}
