// What an interface takes over from the kernel (ethtool(8) -k), by ethtool's ioctl: which features there are, and which are on.
import { closeSync } from 'node:fs'
import { libc } from './libc.js'
import { SystemError } from './error.js'

const AF_INET = 2, SOCK_DGRAM_CLOEXEC = 2 | 0x80000
const SIOCETHTOOL = 0x8946
/** linux/ethtool.h: the names of a set in 32 bytes each, behind three words; the features in blocks of 32, four words each. */
const GET_STRINGS = 0x1b, GET_FEATURES = 0x3a
const FEATURE_NAMES = 4, NAME_BYTES = 32, NAMES_AT = 12
const BLOCKS_AT = 2, BLOCK_WORDS = 4, ACTIVE = 2
/** The kernel has 64, and says how many it wrote. */
const MOST_FEATURES = 1024

/** Whether the feature, by the name that ethtool gives it, is on at an interface of the calling thread's network namespace; false where there is no such. */
export function hasFeature(interfaceName: string, feature: string): boolean {
  const fd = libc().socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0, 'open a socket to ask for features')
  try {
    const ask = (data: Uint32Array): void => { libc().ioctl(fd, SIOCETHTOOL, { name: interfaceName, data }, `read features of '${interfaceName}'`) }
    const names = new Uint32Array((NAMES_AT + MOST_FEATURES * NAME_BYTES) / 4), blocks = new Uint32Array(BLOCKS_AT + BLOCK_WORDS * MOST_FEATURES / 32)
    names.set([GET_STRINGS, FEATURE_NAMES])
    ask(names)
    blocks.set([GET_FEATURES, MOST_FEATURES / 32])
    ask(blocks)
    const text = Buffer.from(names.buffer, NAMES_AT, names[2] * NAME_BYTES)
    const bit = Array.from({ length: names[2] }, (_, i) => text.toString('latin1', i * NAME_BYTES, (i + 1) * NAME_BYTES).split('\0')[0]).indexOf(feature)
    return bit >= 0 && (blocks[BLOCKS_AT + (bit >> 5) * BLOCK_WORDS + ACTIVE] >>> (bit & 31) & 1) === 1
  } catch (error) {
    if (error instanceof SystemError) return false
    throw error
  } finally {
    closeSync(fd)
  }
}
