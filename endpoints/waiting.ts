// A promise that is settled from outside, and waiting with a limit.

export class Deferred<T> {
  readonly promise: Promise<T>
  readonly #resolve: (value: T) => void
  #settled = false

  constructor() {
    let settle: ((value: T) => void) | undefined
    this.promise = new Promise<T>(resolve => { settle = resolve })
    this.#resolve = value => settle?.(value)
  }

  /** Only the first value counts. */
  resolve(value: T): void {
    this.#settled = true
    this.#resolve(value)
  }

  get settled(): boolean {
    return this.#settled
  }
}

/** Resolves after `ms`, or at once when `signal` fires. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const finish = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    if (signal.aborted) finish()
    else signal.addEventListener('abort', finish)
  })
}

/** The promise's value, or null when `ms` pass first. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<null>(resolve => { timer = setTimeout(resolve, ms, null) })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}
