// Where rows and indexes get their memory from.

export interface WordMemory {
  /** Zeros. */
  allocate(length: number): Int32Array
  /** Nobody uses them any more. */
  release(words: Int32Array): void
}

export const HEAP: WordMemory = { allocate: length => new Int32Array(length), release: () => { /* the garbage collector finds them */ } }
