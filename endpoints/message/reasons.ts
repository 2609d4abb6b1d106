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
    advice: 'check that the acceptor still runs; its router may have dropped the mapping, or have another WAN address, until the next registration: try again then',
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
  'not-authenticated': {
    code: 24, sentence: "the message is not authenticated with the equipment's key",
    advice: 'check that the acceptor has the key that the server knows for this equipment',
  },
  'clock-differs': {
    code: 25, sentence: 'the clocks of the equipment and of the server differ by more than is tolerated',
    advice: 'set both clocks, for instance by NTP',
  },
  'replayed': {
    code: 26, sentence: 'the registration is older than the last one taken, or than the server',
    advice: 'if it goes on, the clock was set back, or another machine registers with this key',
  },
  'address-refused': {
    code: 27, sentence: 'the acceptor does not connect to the address named in the request',
    advice: 'name a global address at which you are reached, or have the acceptor allow this one (--allow-to)',
  },
  'slowed': {
    code: 28, sentence: 'too many requests from this address have failed of late',
    advice: 'check the password, and try again in a minute',
  },
  'certificate-refused': {
    code: 30, sentence: "the other end does not accept this end's certificate",
    advice: 'check that it was issued by the CA which the other end trusts, for this address, and is valid now',
  },
  'encryption-required': {
    code: 31, sentence: 'the acceptor takes no direct connection in the clear',
    advice: 'ask for one under TLS (--data tls)',
  },
  'unknown-transport': {
    code: 32, sentence: 'the acceptor makes no direct connection of the kind that was asked for',
    advice: 'ask for one over TCP (--data tcp)',
  },
  'log-in-refused': { code: 40, sentence: 'the user ID or the password is wrong', advice: 'check both; `naptlab relay user list` at the relay server shows who may log in' },
  'logged-in-elsewhere': {
    code: 41, sentence: 'another terminal is logged in with this user ID',
    advice: 'log that one out, or wait until its connections have lapsed',
  },
  'not-logged-in': { code: 42, sentence: 'the connection is not logged in', advice: 'log in first' },
  'user-offline': { code: 43, sentence: 'the user is not logged in', advice: 'check the user ID, and that its terminal runs' },
  'own-user': { code: 44, sentence: 'a terminal cannot be connected with itself', advice: 'name another user' },
  'no-vacant-connection': { code: 45, sentence: 'every connection of the user is in use', advice: 'try again, or let its terminal keep more spare connections' },
  'refused': { code: 46, sentence: 'the user refused the connection', advice: 'ask the other side to accept it' },
  'user-silent': { code: 47, sentence: 'the user is logged in but did not answer the demand', advice: 'try again; check that its terminal still runs' },
  'crossed': { code: 48, sentence: 'a demand for this connection was on its way already', advice: 'demand again on another connection' },
  'not-held': { code: 49, sentence: 'the connection is in no communication', advice: 'demand one first' },
  'unreadable-request': { code: 60, sentence: 'the certificate request cannot be read', advice: 'make it with `naptlab ca request`, or with `openssl req`' },
  'request-signature': {
    code: 61, sentence: 'the certificate request is not signed with the private key of the public key in it',
    advice: 'make a new request with `naptlab ca request`',
  },
  'weak-key': { code: 62, sentence: 'the public key in the certificate request is not strong enough', advice: 'make a new one with `naptlab ca request`' },
  'name-not-allowed': {
    code: 63, sentence: 'this CA does not certify that name for whoever asked',
    advice: 'ask for the address that you ask from, and let the CA allow it (`naptlab ca serve --allow`)',
  },
  'wrong-proof': { code: 64, sentence: 'the certificate request does not prove the enrolment secret', advice: 'give the secret that the CA was started with' },
  'authority-invalid': { code: 65, sentence: "the CA's own certificate is not valid at the moment", advice: 'have a new CA made, and its certificate handed out' },
} as const satisfies Record<string, ReasonDefinition>

export type Reason = keyof typeof REASONS

const byCode = new Map((Object.keys(REASONS) as Reason[]).map(reason => [REASONS[reason].code as number, reason]))

/** A code that this version does not know reads as 'malformed'. */
export const reasonOf = (code: number): Reason => byCode.get(code) ?? 'malformed'
