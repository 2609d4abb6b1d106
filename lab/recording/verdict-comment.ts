// What a router did with a packet, in the words that stand beside it in a capture file: those of `trace`, in full. The live
// recorder and `translate` write the same.
import { summarizeFrame, summarizeFrameEnds } from '../../captures/decode/brief.js'
import { decodePayload } from '../../captures/decode/protocol.js'
import { explain, type FrameWords } from '../../napt/trace/explain.js'
import type { TraceRecord } from '../../napt/trace/trace.js'

/** Names messages, and shows nothing of what is in them. */
export const FRAME_WORDS: FrameWords = {
  summarize: frame => summarizeFrame(frame, decodePayload),
  ends: summarizeFrameEnds,
}

/** Lines joined by \n, the first as `104b  wan → lan  dropped  udp …`. Belongs to the packet as it came in; where none did, to the one that was sent. */
export const verdictComment = (record: TraceRecord, router: string): string => explain(record, router, FRAME_WORDS, { full: true }).join('\n')
