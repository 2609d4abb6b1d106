// The cases' own little language. A line is a frame that comes in, a time that passes, or a relation; behind each frame and time
// stands, after →, what comes of it:
//
//   lan udp A:2000 > S:1200              a frame from the LAN; its words are those of frame-text.ts
//   → wan udp R:$p > S:1200              what the router sends, on which side; $p is whatever it is, and the same from then on
//   wan udp S:1200 > R:$p
//   → lan udp S:1200 > A:2000
//   wan udp T:9000 > R:$p
//   → dropped filtered                   a reason of napt/verdict.ts; → held for a frame that waits; → nothing if nothing may come out,
//   pass 2h4m                            whatever the verdict; → anything, for floods. Without → behind a time, nothing comes out meanwhile.
//   where $p ≠ 2000                      = ≠ even odd in 1024-65535, on numbers and on what a $name has been
//
// Frames may come out in the order of the lines alone, and none besides. What a line does not name is not compared; checksums always are.

export type Step =
  | { readonly kind: 'frame', readonly line: string, readonly side: 'lan' | 'wan', readonly frame: string, readonly wanted: readonly string[] }
  | { readonly kind: 'pass', readonly line: string, readonly milliseconds: number, readonly wanted: readonly string[] }
  | { readonly kind: 'where', readonly line: string, readonly relation: string }

/** @throws Error that names the line which is none */
export function parseScript(script: string): Step[] {
  const steps: Step[] = []
  let wanted: string[] = []
  for (const line of script.split('\n').map(one => one.trim()).filter(one => one !== '')) {
    if (line.startsWith('→ ')) {
      if (steps.length === 0 || steps[steps.length - 1].kind === 'where') throw new Error(`'${line}' stands behind nothing that it could come of`)
      wanted.push(line.slice(2))
      continue
    }
    wanted = []
    steps.push(parseStep(line, wanted))
  }
  const idle = steps.find(step => step.kind === 'frame' && step.wanted.length === 0)
  if (idle !== undefined) throw new Error(`'${idle.line}' says nothing of what comes of it`)
  return steps
}

function parseStep(line: string, wanted: readonly string[]): Step {
  const [word] = line.split(' '), rest = line.slice(word.length + 1)
  switch (word) {
    case 'lan': case 'wan': return { kind: 'frame', line, side: word, frame: rest, wanted }
    case 'pass': return { kind: 'pass', line, milliseconds: duration(rest), wanted }
    case 'where': return { kind: 'where', line, relation: rest }
    default: throw new Error(`'${line}' is no line of a script: it begins with lan, wan, pass, where or →`)
  }
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Milliseconds, of `2h4m` or `299.999s`. */
function duration(text: string): number {
  if (!/^([\d.]+(h|ms|m|s))+$/.test(text)) throw new Error(`'${text}' is no time, such as 2h4m, 120s or 1ms`)
  return Array.from(text.matchAll(/([\d.]+)(h|ms|m|s)/g)).reduce((sum, [, count, unit]) => sum + Math.round(Number(count) * UNITS[unit]), 0)
}
