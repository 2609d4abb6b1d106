// Filters of packets in familiar words, for every command that looks at a capture.
export { parseFilter, type FilterOptions, type PacketFilter } from './parser.js'
export { FilterError } from './tokens.js'
export type { Predicate } from './predicates.js'
