// Why a request was refused: the codes of the answer message, what each means and what a person does next.

interface ReasonDefinition { readonly code: number, readonly sentence: string, readonly advice: string }

export const REASONS = {
  'accepted': { code: 0, sentence: 'the request was accepted', advice: '' },
  'unknown-equipment': {
    code: 1, sentence: 'no equipment with this ID is registered at the server',
    advice: 'check the ID, and that the acceptor runs and registers with this server',
  },
  'gone-silent': {
    code: 2, sentence: 'the equipment is registered but did not answer',
    advice: 'check that the acceptor still runs; its router may have dropped the mapping until the next registration',
  },
  'wrong-password': { code: 3, sentence: 'the acceptor refused the password', advice: 'check the password of this equipment' },
  'issuer-unreachable': {
    code: 4, sentence: 'the acceptor could not connect to the address and port named in the request',
    advice: "check that the issuer's router maps that address and port to the port on which the issuer listens",
  },
  'password-required': {
    code: 5, sentence: 'the request carries no password and one is required',
    advice: 'give the password, or run server and acceptor at level 1 or 2',
  },
  'busy': { code: 6, sentence: 'too many requests are under way', advice: 'try again in a few seconds' },
  'malformed': { code: 7, sentence: 'the other end did not understand the message', advice: 'check that both ends run the same version' },
  'no-such-request': { code: 8, sentence: 'no request with this token is waiting', advice: 'it ended or timed out before; nothing needs doing' },
  'timed-out': { code: 9, sentence: 'the acceptor did not report in time', advice: 'try again; check the path between the acceptor and the issuer' },
  'wrong-token': {
    code: 10, sentence: 'the connection does not belong to the request that waits here',
    advice: 'check that no two issuers share one address and port',
  },
} as const satisfies Record<string, ReasonDefinition>

export type Reason = keyof typeof REASONS

const byCode = new Map((Object.keys(REASONS) as Reason[]).map(reason => [REASONS[reason].code as number, reason]))

/** A code that this version does not know reads as 'malformed'. */
export const reasonOf = (code: number): Reason => byCode.get(code) ?? 'malformed'
