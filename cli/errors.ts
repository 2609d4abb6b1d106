// Which end of a command an error means.
import { constants } from 'node:os'

/** The command line itself is wrong. */
export class UsageError extends Error {}

/** Errors that the caller can put right by another command line, another file or another machine. By name, so that no command loads what only others need. */
const USAGE = new Set([
  'UsageError', 'ConfigError', 'DeviceError', 'AddressError', 'CaptureFileError', 'FilterError', 'PcapFilterError', 'FramesError', 'CheckUsageError',
  'NoSuchFrameError', 'GoldenError', 'KeyLogError', 'EncodeError', 'ControlError', 'CheckFileError',
])

/** 2 for wrong usage and missing prerequisites, 1 for everything else. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof Error)) return 1
  if ('exitCode' in error && typeof error.exitCode === 'number') return error.exitCode
  if (USAGE.has(error.constructor.name)) return 2
  const isSystem = 'code' in error && typeof error.code === 'string' && error.code in constants.errno
  return isSystem ? 2 : 1
}
