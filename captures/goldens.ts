// Where the project's own goldens are: in the sources. (Two folders up from dist/captures, and from dist/bundle: lab/program-path.ts.)
import { fileURLToPath } from 'node:url'

export const GOLDENS = fileURLToPath(new URL('../../captures/golden/', import.meta.url))
