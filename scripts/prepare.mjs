// Makes a clone ready to run: packages, then the build. `npm start` and `npm test` (with `--tests`) call it first; when nothing is
// missing it takes about a second. It needs no root; as root it also installs the one Debian package that adds an optional feature.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const stamp = join(root, 'node_modules', '.naptlab-installed')
const PCAP_HEADERS = ['/usr/include/pcap/pcap.h', '/usr/include/pcap.h']

const say = text => process.stderr.write(`${text}\n`)
const run = (command, args, options = {}) => spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) fail(`naptlab needs Node 20.19 or later; this is ${process.versions.node}.`)
if (process.platform !== 'linux') fail('naptlab needs Linux: it is made of network namespaces and packet sockets.')

const hasHeaders = () => PCAP_HEADERS.some(path => existsSync(path))
if (!hasHeaders() && process.getuid() === 0 && existsSync('/usr/bin/apt-get')) installHeaders()

// What is installed fits as long as neither the lock file nor what the optional packages are compiled against has changed.
const wanted = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).update(`${process.version} ${hasHeaders()}`).digest('hex')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  say('naptlab: installing its packages (the first time only; about a minute) …')
  const result = run('npm', ['ci', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'], { env: npmEnvironment() })
  if (result.status !== 0) fail('npm could not install the packages; its own words are above. Is the npm registry within reach?')
  writeFileSync(stamp, wanted)
}

if (process.argv.includes('--tests')) buildTap()
removeStale(join(root, 'dist'))
const assembly = run(process.execPath, [join(import.meta.dirname, 'assembly.mjs')])
if (assembly.status !== 0) fail('the fast path could not be compiled; asc\'s words are above.')
const build = run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--build'])
if (build.status !== 0) fail('the build failed; the compiler\'s words are above.')
const bundle = run(process.execPath, [join(import.meta.dirname, 'bundle.mjs')])
if (bundle.status !== 0) fail('the programs could not be put together; esbuild\'s words are above.')
chmodSync(join(root, 'dist', 'cli', 'naptlab.js'), 0o755)

/**
 * Leaves out of tap what .taprc does. It would do that itself, but its first run would still load all of it into every test file, a
 * TypeScript compiler among it: 0.7 s of processor time each.
 */
function buildTap() {
  const stamp = join(root, 'node_modules', '.naptlab-tap'), settings = readFileSync(join(root, '.taprc'), 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === settings) return
  say('naptlab: preparing the test runner …')
  const result = run(process.execPath, [join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs'), 'build'])
  if (result.status !== 0) fail('the test runner could not be built; its own words are above.')
  writeFileSync(stamp, settings)
}

/** What was built from a file that is gone would still run: a test of yesterday, say. */
function removeStale(folder) {
  if (!existsSync(folder)) return
  for (const path of readdirSync(folder, { recursive: true }).map(String)) {
    const source = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(path)?.[1]
    if (source !== undefined && !existsSync(join(root, `${source}.ts`))) rmSync(join(folder, path))
  }
}

function installHeaders() {
  say('naptlab: installing libpcap-dev, so that captures can be witnessed through libpcap …')
  const apt = args => run('apt-get', ['-qq', ...args], { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  if (apt(['install', '-y', 'libpcap-dev']).status !== 0) {
    apt(['update'])
    apt(['install', '-y', 'libpcap-dev'])
  }
}

/** Compiles against the headers that came with this Node where there are some, rather than fetching them. */
function npmEnvironment() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? { ...process.env, npm_config_nodedir: prefix } : process.env
}

function fail(text) {
  say(`naptlab: ${text}`)
  process.exit(2)
}
