// Loaded into every test file by tap (.taprc). What a test starts runs as it does anywhere else: tap would have each of those
// processes, and the processes of its processes, load tap's hooks for the sake of coverage, which is not measured. That is 0.16 s of
// processor time a process, and every file that one imports goes through another thread: half of what a run on a bench takes.
globalThis[Symbol.for('process-on-spawn@*:singletonId')]?.listeners.splice(0)
