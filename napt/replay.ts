// The router over capture files: the frames of both sides in the order of their times, the frames' own times for its timers.
// The same code as live, so the same frames at the same times give the same bytes out.
import type { RouterConfig } from './router-config.js'
import { FileClock } from './clock.js'
import { Dataplane, type TraceListener } from './dataplane.js'
import type { FileDevice } from './device/file.js'
import type { Counters } from './verdicts.js'
import type { Side } from './verdict.js'

/** Runs both files to their ends. @throws ConfigError when static mappings contradict each other */
export function replay(config: RouterConfig, devices: Readonly<Record<Side, FileDevice>>, onRecord?: TraceListener): Counters {
  const clock = new FileClock()
  const dataplane = new Dataplane(config, devices, clock)
  if (onRecord !== undefined) dataplane.listen(onRecord)
  dataplane.start()
  for (let next = earlier(devices.lan, devices.wan); next !== null; next = earlier(devices.lan, devices.wan)) {
    clock.set(next.nextTime ?? 0n)
    dataplane.tick()
    next.deliver()
  }
  dataplane.close()
  return dataplane.router.counters
}

function earlier(a: FileDevice, b: FileDevice): FileDevice | null {
  if (a.nextTime === null) return b.nextTime === null ? null : b
  return b.nextTime === null || a.nextTime <= b.nextTime ? a : b
}
