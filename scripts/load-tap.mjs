// Loaded into every test file (.taprc): tap, without its source maps, whose reading takes 0.15 s of processor time. The tests' own are
// read.
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.setSourceMapsEnabled(false)
  await import('tap')
  process.setSourceMapsEnabled(true)
}
