// Capture files read as their formats' documents say, a packet at a time, with bigints and nothing clever: what the readers are compared with.

export interface PlainPacket {
  readonly time: bigint
  readonly bytes: Uint8Array
  readonly originalLength: number
  readonly linkType: number
  readonly direction: 'inbound' | 'outbound' | null
  readonly packetId: bigint | null
  readonly comment: string
}

const NOTHING = { direction: null, packetId: null, comment: '' } as const
const SECOND = 1_000_000_000n

export function readPlainly(file: Uint8Array): PlainPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  return view.getUint32(0) === 0x0a0d0d0a ? readPcapng(file, view) : readPcap(file, view)
}

function readPcap(file: Uint8Array, view: DataView): PlainPacket[] {
  const little = [0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34].includes(view.getUint32(0, true)), magic = view.getUint32(0, little)
  const unit = magic === 0xa1b23c4d ? 1n : 1000n, head = magic === 0xa1b2cd34 ? 24 : 16, minor = view.getUint16(6, little)
  const packets: PlainPacket[] = []
  for (let at = 24; at < file.length;) {
    const [seconds, fraction, first, second] = [0, 4, 8, 12].map(word => view.getUint32(at + word, little))
    const isSwapped = minor < 3 || (minor === 3 && first > second), [captured, originalLength] = isSwapped ? [second, first] : [first, second]
    const bytes = file.slice(at + head, at + head + captured)
    packets.push({ ...NOTHING, time: BigInt(seconds) * SECOND + BigInt(fraction) * unit, bytes, originalLength, linkType: view.getUint32(20, little) & 0xffff })
    at += head + captured
  }
  return packets
}

interface Interface { readonly linkType: number, readonly snapLength: number, units: bigint, offset: bigint }

function readPcapng(file: Uint8Array, view: DataView): PlainPacket[] {
  const packets: PlainPacket[] = []
  let little = true, interfaces: Interface[] = []
  for (let at = 0; at < file.length;) {
    if (view.getUint32(at) === 0x0a0d0d0a) {
      little = view.getUint32(at + 8, true) === 0x1a2b3c4d
      interfaces = []
    }
    const type = view.getUint32(at, little), length = view.getUint32(at + 4, little), end = at + length - 4
    const body = at + 8, word = (offset: number): number => view.getUint32(body + offset, little)
    const options = function * (from: number): Generator<{ code: number, value: number, length: number }> {
      for (let option = from; option + 4 <= end;) {
        const code = view.getUint16(option, little), size = view.getUint16(option + 2, little)
        if (code === 0) return
        yield { code, value: option + 4, length: size }
        option += 4 + size + (-size & 3)
      }
    }
    if (type === 1) {
      const made: Interface = { linkType: view.getUint16(at + 8, little), snapLength: word(4), units: 1_000_000n, offset: 0n }
      for (const { code, value } of options(at + 16)) {
        const resolution = view.getUint8(value)
        if (code === 9) made.units = resolution < 128 ? 10n ** BigInt(resolution) : 2n ** BigInt(resolution - 128)
        if (code === 14) made.offset = view.getBigInt64(value, little)
      }
      interfaces.push(made)
    } else if (type === 6 || type === 2) {
      const { linkType, units, offset } = interfaces[type === 6 ? word(0) : view.getUint16(at + 8, little)], captured = word(12), start = at + 28
      let direction: PlainPacket['direction'] = null, packetId: bigint | null = null
      const comments: string[] = []
      for (const { code, value, length: size } of options(start + captured + (-captured & 3))) {
        if (code === 1) comments.push(Buffer.from(file.subarray(value, value + size)).toString())
        if (code === 2) direction = ([null, 'inbound', 'outbound', null] as const)[view.getUint32(value, little) & 3]
        if (code === 5 && type === 6) packetId = view.getBigUint64(value, little)
      }
      const time = offset * SECOND + (BigInt(word(4)) << 32n | BigInt(word(8))) * SECOND / units
      packets.push({ time, bytes: file.slice(start, start + captured), originalLength: word(16), linkType, direction, packetId, comment: comments.join('\n') })
    } else if (type === 3) {
      const [{ linkType, snapLength }] = interfaces, originalLength = word(0), captured = snapLength === 0 ? originalLength : Math.min(originalLength, snapLength)
      packets.push({ ...NOTHING, time: 0n, bytes: file.slice(at + 12, at + 12 + captured), originalLength, linkType })
    }
    at += length
  }
  return packets
}
