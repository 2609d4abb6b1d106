// One interface of a run's capture as a file of its own: programs that follow connections see each packet once in it.
import { execFileSync } from 'node:child_process'

/** Through tshark, which keeps the keys in it. @returns `to` */
export function oneSide(capture: string, name: string, to: string): string {
  execFileSync('tshark', ['-r', capture, '-Y', `frame.interface_name == "${name}"`, '-w', to], { stdio: 'ignore' })
  return to
}
