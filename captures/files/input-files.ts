// Capture files as a command line gives them: paths, and INTERFACE=FILE for a file that shows one interface by another name.

/** Files that cannot be checked as they were given. */
export class CheckUsageError extends Error { override readonly name = 'CheckUsageError' }

export interface InputFile {
  readonly path: string
  /** The interface that the file shows; null where the file, or its name, says so itself. */
  readonly as: string | null
}

/** @throws CheckUsageError when there is none, and for an assignment that is none */
export function inputFiles(paths: readonly string[], as: readonly string[] = []): InputFile[] {
  const files = [...paths.map((path): InputFile => ({ path, as: null })), ...as.map(assignment)]
  if (files.length === 0) throw new CheckUsageError('There is no file to check. Give capture files, such as out/104a-lan.pcap, or --as 104a-lan=FILE.')
  return files
}

/** @throws CheckUsageError unless it is INTERFACE=FILE */
export function assignment(text: string): { readonly path: string, readonly as: string } {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new CheckUsageError(`--as ${text}: this is not INTERFACE=FILE (such as 104a-lan=FILE)`)
  return { as: text.slice(0, at), path: text.slice(at + 1) }
}
