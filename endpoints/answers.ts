// The answer messages: built here with a sentence that fits, and read as a verdict.
import { REASONS, reasonOf } from './message/index.js'
import type { MessageOf, Reason } from './message/index.js'

/** How a request ended, with a sentence of detail from the end that knows. */
export interface Verdict { readonly reason: Reason, readonly detail: string }

interface Coded { readonly reason: number, readonly sentence?: string }

/** A sentence field holds 512 bytes; a UTF-16 unit takes at most 3. */
const MAX_DETAIL = 170

export const answer = (verdict: Verdict, token?: string): MessageOf<'answer'> =>
  ({ name: 'answer', ...coded(verdict), ...(token ? { token } : {}) })

/** A verdict as the fields of a message. */
export const coded = ({ reason, detail }: Verdict): Coded => ({ reason: REASONS[reason].code, ...sentenceOf(detail) })

/** The sentence field, when there is anything to say. */
export function sentenceOf(text: string): { readonly sentence?: string } {
  const sentence = text.replaceAll(/\p{Cc}/gu, ' ').slice(0, MAX_DETAIL)
  return sentence ? { sentence } : {}
}

export const verdictOf = ({ reason, sentence }: Coded): Verdict => ({ reason: reasonOf(reason), detail: sentence ?? '' })

/** For events: what the reason means, and the detail. */
export const describe = ({ reason, detail }: Verdict): string => REASONS[reason].sentence + (detail ? ` (${detail})` : '')
