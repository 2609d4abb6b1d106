// `t.same` for much data.
import { inspect, isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'

/**
 * As `t.strictSame`, which puts every element of an array of bytes into words before it compares: 10 µs each, and minutes for the
 * words of all that differs. This tells of the first element that does.
 */
export function sameData(t: Test, got: unknown, wanted: unknown, message = 'should be equivalent'): boolean {
  if (isDeepStrictEqual(got, wanted)) return t.pass(message)
  if (!Array.isArray(got) || !Array.isArray(wanted)) return t.fail(message, { found: inspect(got), wanted: inspect(wanted) })
  const length = Math.max(got.length, wanted.length)
  const at = Array.from({ length }, (_, index) => index).find(index => !isDeepStrictEqual(got[index], wanted[index])) ?? length
  return t.fail(`${message}: [${at}]`, { found: inspect(got[at]), wanted: inspect(wanted[at]), lengths: [got.length, wanted.length] })
}
