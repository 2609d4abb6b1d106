// What a requirement of an RFC is here: its words in short, and the cases that show whether the router meets it.

/** How strongly the RFC asks (RFC 2119); `should` is also RECOMMENDED, and each has its "not". */
export type Level = 'must' | 'should' | 'may'

export type NatFields = Readonly<Record<string, unknown>>

/** A table of frames in, frames or reasons out, with times: see script.ts. */
export interface Case {
  /** Unique within its requirement: with the clause it is the name of the test. */
  readonly name: string
  /** What the case has to find: a small pool, a limit to reach, a static mapping. Not what makes the router meet the requirement. */
  readonly setup?: NatFields
  /** The choice of napt/behaviour/behaviour.ts by which the router meets the requirement, if the defaults do not. */
  readonly option?: NatFields
  /** Bytes of IP that each side's cable takes. */
  readonly mtu?: { readonly lan?: number, readonly wan?: number }
  readonly script: string
}

/** A configuration, or a change of the WAN address, that is refused with a reason. */
export interface Refusal {
  readonly name: string
  /** Another LAN than 192.168.1.1/24. */
  readonly lanAddress?: string
  readonly renumberTo?: string
  readonly refusal: RegExp
}

export interface Requirement {
  /** As in `REQ-1a`; for RFC 7857 the section. */
  readonly clause: string
  readonly level: Level
  /** Without the subject, which is the NAT: "have endpoint-independent mapping". */
  readonly text: string
  /** They show that it is met: by default if none of them needs an option. */
  readonly cases?: readonly Case[]
  /** What else there is to see: other choices, or where the router stops short of what is asked. */
  readonly also?: readonly (Case | Refusal)[]
  /** Why it is not met. */
  readonly because?: string
  /** What a reader has to know besides. */
  readonly note?: string
}

export interface Rfc {
  readonly number: number
  readonly title: string
  readonly requirements: readonly Requirement[]
}
