// Where something can be reached or is bound.

/** An IPv4 address as text, with a port. */
export interface Peer { readonly address: string, readonly port: number }

/** Where a socket of ours is bound; absent means any address, or a port that the system chooses. */
export interface Local { readonly address?: string, readonly port?: number }

export const formatPeer = ({ address, port }: Peer): string => `${address}:${port}`
