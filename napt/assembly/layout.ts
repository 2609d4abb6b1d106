// Where things are in a router's memory (router-memory.ts) that both halves of the fast path use. Both compilers read this file, so it
// has plain numbers alone. Places are bytes from the beginning of the memory, or of what they are in.

/** What `forward` found: the frame is rewritten; it is not for the fast path; its next hop, whose address is at HOP, is not at hand. */
export const FORWARDED = 0, UNKNOWN = 1, NO_NEIGHBOUR = 2

/** In `what`, of a frame: it came from the LAN; its checksum is partial; its next hop is at hand now; bytes of payload of each packet that it stands for, above. */
export const OUTBOUND = 1, PARTIAL = 2, REACHED = 4, SEGMENT_SHIFT = 3

/** A direction, as it begins: the MAC addresses of the interfaces where frames come in and leave, each as words of its bytes. */
export const IN_HIGH = 0, IN_LOW = 4, OUT_HIGH = 8, OUT_LOW = 12
/** Bytes of IP that the next cable takes; the gateway's address, 0 for none. */
export const MTU = 16, GATEWAY = 20
/** The index: its slots and their number less one; the old ones while it doubles (0: none), and the row from which they hold. */
export const SLOTS = 24, MASK = 28, OLD_SLOTS = 32, OLD_MASK = 36, MOVED = 40, INDEX_WORDS = 5
export const LAN_DIRECTION = 64, WAN_DIRECTION = 128, DIRECTION_BYTES = 64

/** The last frame that was forwarded: its session, TCP's state and the milliseconds left to it before. */
export const LEFT = 192, SESSION_NOTE = 200, STATE_NOTE = 204
/** Of the frame that NO_NEIGHBOUR was said of. */
export const HOP = 208
/** The identification that the next datagram gets. */
export const IDENTIFICATION = 212
export const NOTES_END = 216

/** Milliseconds of idleness: by protocol code, then by TCP's state. */
export const IDLE = 256, CODES = 8, TCP_IDLE = IDLE + 8 * CODES, TCP_STATE_COUNT = 32
/** By protocol code, whether a direction's packets keep a session. */
export const KEPT_OUTBOUND = TCP_IDLE + 8 * TCP_STATE_COUNT, KEPT_INBOUND = KEPT_OUTBOUND + CODES

/** A frame's head, copied here from other memory: no more of it is read. */
export const HEAD = 640, HEAD_BYTES = 56

/** Neighbours at hand of a side: until when each is good, milliseconds; then its address and its MAC address, in words. */
export const HAND_SLOTS = 1024, HAND_WIDTH = 16, HAND_BYTES = HAND_SLOTS * (8 + HAND_WIDTH)
export const LAN_HAND = 1024, WAN_HAND = LAN_HAND + HAND_BYTES

/** Where each chunk of sessions begins. */
export const CHUNKS = WAN_HAND + HAND_BYTES, CHUNK_COUNT = 2048
/** Hashes of the frames of `foresee`. */
export const FORESEEN_HASHES = CHUNKS + 4 * CHUNK_COUNT, FORESEEN = 64

/** From here on, memory is given out. */
export const FIRST_FREE = FORESEEN_HASHES + 4 * FORESEEN

/** A session's row (sessions.ts has the words, here they are bytes), and how many are in a chunk. */
export const ROW_SHIFT = 5, CHUNK_ROW_BITS = 14
export const LAN_ADDRESS = 0, WAN_ADDRESS = 4, REMOTE_ADDRESS = 8, LAN_PORTS = 12, WAN_PORTS = 16, STATE = 20, DEADLINE = 24
/** In STATE: whether the outbound or inbound half is settled; TCP's state; where the protocol's code begins. */
export const SETTLED_OUTBOUND = 0x100, SETTLED_INBOUND = 0x200, TCP_STATE = 0xff, TCP_RESET = 16, CODE_SHIFT = 29
/** In a slot of an index: bits of the row's number; what an old one has whose row is gone. */
export const ROW_BITS = 25
