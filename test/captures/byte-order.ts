// The same capture file in the other byte order, as a machine of that order would have written it. Works on what stands in the
// files that the tests make; knows nothing of the readers.

/** Of a pcap file with records of 16 bytes, little-endian. */
export function swapPcap(file: Uint8Array): Uint8Array {
  const out = Uint8Array.from(file), view = new DataView(file.buffer, file.byteOffset, file.length)
  const flip = flipper(out)
  for (const [width, at] of [[4, 0], [2, 4], [2, 6]]) flip(width, at)
  for (let at = 8; at < 24; at += 4) flip(4, at)
  for (let at = 24; at < file.length; at += 16 + view.getUint32(at + 8, true)) for (let word = 0; word < 16; word += 4) flip(4, at + word)
  return out
}

/** What stands at the beginning of a block's body, as widths of its numbers. */
const HEADS: Readonly<Record<number, readonly number[]>> = { 0x0a0d0d0a: [4, 2, 2, 8], 1: [2, 2, 4], 5: [4, 4, 4], 6: [4, 4, 4, 4, 4], 10: [4, 4] }
/** Options that are numbers, by block and code; a time is two of them. */
const NUMBERS: Readonly<Record<string, readonly number[]>> = { '1 8': [8], '1 14': [8], '5 2': [4, 4], '5 3': [4, 4], '5 4': [8], '5 5': [8], '6 2': [4], '6 4': [8], '6 5': [8] }

/** Of a little-endian pcapng file of one section. */
export function swapPcapng(file: Uint8Array): Uint8Array {
  const out = Uint8Array.from(file), view = new DataView(file.buffer, file.byteOffset, file.length)
  const flip = flipper(out)
  for (let at = 0; at < file.length;) {
    const type = view.getUint32(at, true), length = view.getUint32(at + 4, true), end = at + length - 4
    const head = HEADS[type] ?? []
    let option = at + 8
    for (const word of [at, at + 4, end]) flip(4, word)
    for (const width of head) {
      flip(width, option)
      option += width
    }
    const captured = type === 6 ? view.getUint32(at + 20, true) : type === 10 ? view.getUint32(at + 12, true) : 0
    for (option += captured + (-captured & 3); option + 4 <= end;) {
      const code = view.getUint16(option, true), size = view.getUint16(option + 2, true)
      for (const half of [option, option + 2]) flip(2, half)
      for (const [nth, width] of (NUMBERS[`${type} ${code}`] ?? []).entries()) flip(width, option + 4 + nth * width)
      option += 4 + size + (-size & 3)
    }
    at += length
  }
  return out
}

const flipper = (out: Uint8Array) => (width: number, at: number): void => { out.subarray(at, at + width).reverse() }
