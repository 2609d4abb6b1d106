// `t.same` for much data.
import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'

/**
 * The same as `t.same`, which puts every element of an array of bytes into words before it compares: 10 µs each. Node finds out
 * whether there is a difference; tap then says which.
 */
export function sameData(t: Test, got: unknown, wanted: unknown, message = 'should be equivalent'): boolean {
  return isDeepStrictEqual(got, wanted) ? t.pass(message) : t.same(got, wanted, message)
}
