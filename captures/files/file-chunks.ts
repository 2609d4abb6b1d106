// The bytes of a regular file in order, read ahead: while one piece is worked on, a thread of libuv's reads the next.
import { open } from 'node:fs/promises'

/** Bytes read at once: with less the reading takes longer, with more the memory grows and nothing is gained. */
export const CHUNK = 1 << 19
/** Of which one is read into while the other is worked on. */
export const CHUNKS_IN_TURN = 2

/** @param memory pieces of CHUNK bytes that are filled in turn, so that a piece is valid until the next but one is asked for; without, each is its reader's own */
export async function * fileChunks(path: string, memory: readonly Uint8Array[] | null = null): AsyncGenerator<Uint8Array, undefined> {
  const file = await open(path)
  let turn = 0
  // A failure is told when its turn comes: nobody waits for it before.
  const read = (): Promise<Uint8Array | Error> => {
    const room = memory === null ? Buffer.allocUnsafeSlow(CHUNK) : memory[turn++ % memory.length]
    return file.read(room, 0, room.length).then(({ bytesRead }) => room.subarray(0, bytesRead), (error: unknown) => error instanceof Error ? error : new Error(String(error)))
  }
  let ahead = read()
  try {
    for (;;) {
      const chunk = await ahead
      if (chunk instanceof Error) throw chunk
      if (chunk.length === 0) return
      ahead = read()
      yield chunk
    }
  } finally {
    await ahead
    await file.close()
  }
}
