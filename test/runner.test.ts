// The test runner leaves what a test starts alone (scripts/plain-tests.cjs).
import { execFileSync } from 'node:child_process'
import t from 'tap'

/** In a process: the options that its environment gives, and whether the recorder of what it loads is there. */
const ASKED = '[process.env.NODE_OPTIONS ?? "", Symbol.for("@tapjs/processinfo.ProcessInfoNodeData") in globalThis]'

t.test('nothing of tap\'s is in the processes that a test starts', async t => {
  const [options, isRecorded] = JSON.parse(execFileSync(process.execPath, ['-p', `JSON.stringify(${ASKED})`], { encoding: 'utf8' })) as [string, boolean]
  t.notMatch(options, 'tapjs')
  t.equal(isRecorded, false)
})
