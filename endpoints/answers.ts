// The answer message: built here with a sentence that fits, and read as a verdict.
import { REASONS, reasonOf } from './message/index.js'
import type { MessageOf, Reason } from './message/index.js'

/** How a request ended, with a sentence of detail from the end that knows. */
export interface Verdict { readonly reason: Reason, readonly detail: string }

/** A sentence field holds 512 bytes; a UTF-16 unit takes at most 3. */
const MAX_DETAIL = 170

export function answer({ reason, detail }: Verdict, token?: string): MessageOf<'answer'> {
  const sentence = detail.replaceAll(/\p{Cc}/gu, ' ').slice(0, MAX_DETAIL)
  return { name: 'answer', reason: REASONS[reason].code, ...(sentence ? { sentence } : {}), ...(token ? { token } : {}) }
}

export const verdictOf = ({ reason, sentence }: MessageOf<'answer'>): Verdict => ({ reason: reasonOf(reason), detail: sentence ?? '' })

/** For events: what the reason means, and the detail. */
export const describe = ({ reason, detail }: Verdict): string => REASONS[reason].sentence + (detail ? ` (${detail})` : '')
