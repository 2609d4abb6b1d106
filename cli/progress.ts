// How far the reading of a large file is, on the last line of a terminal once it takes longer than a second.
import { StatusLine } from './terminal.js'

/** Runs `work`, which says how much of it is done, from 0 to 1. */
export async function withProgress<T>(what: string, work: (onProgress: (share: number) => void) => Promise<T>): Promise<T> {
  const status = new StatusLine(process.stderr), began = performance.now()
  try {
    return await work(share => {
      if (performance.now() - began > 1000) status.show(`${what} ${Math.floor(share * 100)} %`)
    })
  } finally {
    status.clear()
  }
}
