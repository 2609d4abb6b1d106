// What a person is told on a machine that cannot hold a bench.
import t from 'tap'
import { chmodSync } from 'node:fs'
import { openBench, type BenchDescription } from '../../lab/index.js'
import { explainRefusal } from '../../lab/bench/prerequisites.js'

const description: BenchDescription = { name: 'no', networks: { wan: {} }, hosts: { a: { network: 'wan', address: '10.0.0.1' } } }
const settings = (values: Readonly<Record<string, string>>) => (path: string): string | undefined => values[path]
const SAID = 'unshare: unshare failed: Operation not permitted\n'

t.test('which setting it is, and the line that changes it', async t => {
  for (const [path, value, remedy, words] of [
    ['/proc/sys/user/max_user_namespaces', '0', 'sudo sysctl -w user.max_user_namespaces=15000', /allows no user namespaces/],
    ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'sudo sysctl -w kernel.unprivileged_userns_clone=1', /to root only/],
    ['/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1', 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0', /AppArmor/],
  ] as const) {
    const error = explainRefusal(SAID, false, settings({ [path]: value }))
    t.match(error, { name: 'PrerequisiteError', exitCode: 2, remedy, message: words })
    t.ok(error.message.endsWith(`\n  ${remedy}`), 'the line stands by itself, to be pasted')
  }
})

t.test('root is not bound by the settings for others, and needs no sudo', async t => {
  const read = settings({ '/proc/sys/kernel/unprivileged_userns_clone': '0' })
  t.match(explainRefusal(SAID, true, read).message, /the kernel refused them \(unshare: unshare failed: Operation not permitted\)/)
  t.equal(explainRefusal(SAID, true, settings({ '/proc/sys/user/max_user_namespaces': '0' })).remedy, 'sysctl -w user.max_user_namespaces=15000')
})

t.test('a container: no setting forbids it', async t => {
  t.match(explainRefusal(SAID, false, settings({})).remedy, /^docker run --security-opt/)
})

t.test('openBench on such a machine', async t => {
  const folder = t.testdir({ refusing: `#!/bin/sh\necho '${SAID.trim()}' >&2\nexit 1\n`, broken: '#!/bin/sh\necho surprise >&2\nexit 1\n' })
  for (const name of ['refusing', 'broken']) chmodSync(`${folder}/${name}`, 0o755)
  const readSetting = settings({ '/proc/sys/user/max_user_namespaces': '0' })
  await t.rejects(openBench(description, { unshare: `${folder}/refusing`, readSetting }), { name: 'PrerequisiteError', message: /max_user_namespaces = 0/ })
  await t.rejects(openBench(description, { unshare: `${folder}/none`, readSetting }), { name: 'PrerequisiteError', remedy: 'sudo apt-get install util-linux' })
  await t.rejects(openBench(description, { unshare: `${folder}/broken`, readSetting }), { name: 'BenchFailure', message: /surprise/ })
})
