// Records the goldens of the standard runs anew, after a change that is meant: `node scripts/record-goldens.mjs [NAME…]`, all of
// them without a name. Review the difference of captures/golden/*/golden.yaml before you commit it.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodePayload, FIG2_GOLDEN, goldenCapture, goldenFolder, goldenPath, readByInterface, recordGolden, RELAY_GOLDEN, writeGolden } from '../dist/captures/index.js'
import { runFig11 } from '../dist/lab/systems/fig11.js'
import { runFig13 } from '../dist/lab/systems/fig13.js'
import { runFig2 } from '../dist/lab/systems/fig2.js'
import { runHybrid } from '../dist/lab/systems/hybrid.js'
import { runRelayLogin } from '../dist/lab/systems/relay-login.js'

/** By the golden's name: the run, and what of it is not compared. */
const RUNS = {
  'fig2': [out => runFig2({ out, encryption: 'tls1.3' }), FIG2_GOLDEN],
  'fig2-tls1.2-rsa': [out => runFig2({ out, encryption: 'tls1.2', keyExchange: 'rsa' }), FIG2_GOLDEN],
  'fig2-tls1.2-dhe': [out => runFig2({ out, encryption: 'tls1.2', keyExchange: 'dhe' }), FIG2_GOLDEN],
  ...Object.fromEntries(['rsa', 'dhe', 'dh'].map(keyExchange => [`fig2-ssl3-${keyExchange}`, [out => runFig2({ out, encryption: 'ssl3', keyExchange }), FIG2_GOLDEN]])),
  ...Object.fromEntries(['fig2', 'fig8b', 'renumber'].map(variant => [`${variant}-none`, [out => runFig2({ out, encryption: 'none', variant }), FIG2_GOLDEN]])),
  'fig8b': [out => runFig2({ out, encryption: 'tls1.3', variant: 'fig8b' }), FIG2_GOLDEN],
  'renumber': [out => runFig2({ out, encryption: 'tls1.3', variant: 'renumber' }), FIG2_GOLDEN],
  'fig11': [out => runFig11({ out }), {}],
  'fig13': [out => runFig13({ out, issuer: 'wan' }), RELAY_GOLDEN],
  'fig13-lan': [out => runFig13({ out, issuer: 'lan' }), RELAY_GOLDEN],
  'hybrid': [out => runHybrid({ out }), RELAY_GOLDEN],
  'relay-login': [out => runRelayLogin({ out }), { periodic: ['(4)', '(5)'] }],
}

const names = process.argv.slice(2)
for (const name of names) if (!Object.hasOwn(RUNS, name)) throw new Error(`there is no run '${name}': ${Object.keys(RUNS).join(', ')}`)
for (const name of names.length > 0 ? names : Object.keys(RUNS)) {
  const [run, options] = RUNS[name]
  const out = mkdtempSync(join(tmpdir(), 'naptlab-golden-'))
  try {
    const { failures, figures, capture, isWitnessed } = await run(out)
    if (failures.length > 0 || figures?.ok === false || !isWitnessed) throw new Error(`the run of ${name} was not good: ${failures.join('; ') || 'a figure failed, or libpcap is missing'}`)
    const { captures, keys } = await readByInterface(capture)
    mkdirSync(goldenFolder(name), { recursive: true })
    writeGolden(recordGolden(captures, { name, decoder: decodePayload, keys, ...options }), goldenPath(name))
    copyFileSync(capture, goldenCapture(name))
    process.stdout.write(`${name}: recorded\n`)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}
