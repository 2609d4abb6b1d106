// Loaded into every test file before tap's own hooks (.taprc), so that those do nothing. They record which files a test and every
// process that it starts load, for coverage, which is not measured. That is 0.6 s of processor time a test file and 0.2 s a process,
// and every file that one imports goes through another thread: half of what a run on a bench takes.
const nodeModule = require('node:module')

// Each process would be told by its environment to load them.
const options = (process.env.NODE_OPTIONS ?? '').replace(/"?--import=[^"\s]*\/@tapjs\/processinfo\/[^"\s]*"?/, '').trim()
if (options === '') delete process.env.NODE_OPTIONS
else process.env.NODE_OPTIONS = options

// That there is a record means to them that they are at work already …
globalThis[Symbol.for('@tapjs/processinfo.ProcessInfoNodeData')] = { files: [], sources: {} }

// … and the first call of `register` is theirs: it starts the thread.
const { register } = nodeModule
nodeModule.register = () => { nodeModule.register = register }
