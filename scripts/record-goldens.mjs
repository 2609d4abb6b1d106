// Records the goldens of the standard runs anew, after a change that is meant: `node scripts/record-goldens.mjs`. Review the
// difference of captures/golden/*/golden.yaml before you commit it.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { decodePayload, FIG2_GOLDEN, goldenFolder, goldenPath, readPcapFile, recordGolden, writeGolden } from '../dist/captures/index.js'
import { runFig2 } from '../dist/lab/fig2.js'

for (const variant of ['fig2', 'fig8b']) {
  const out = mkdtempSync(join(tmpdir(), 'naptlab-golden-'))
  try {
    const { failures, figures, captures, isWitnessed } = await runFig2({ variant, out })
    if (failures.length > 0 || !figures.ok || !isWitnessed) throw new Error(`the run of ${variant} was not good: ${failures.join('; ') || 'a figure failed, or libpcap is missing'}`)
    const read = new Map()
    for (const file of captures) read.set(basename(file, '.pcap'), await readPcapFile(file))
    mkdirSync(goldenFolder(variant), { recursive: true })
    writeGolden(recordGolden(read, { name: variant, decoder: decodePayload, ...FIG2_GOLDEN }), goldenPath(variant))
    for (const file of captures) copyFileSync(file, join(goldenFolder(variant), basename(file)))
    process.stdout.write(`${variant}: recorded\n`)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}
