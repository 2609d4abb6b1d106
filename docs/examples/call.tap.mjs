// A capture of call.mjs, checked with tap: tap docs/examples/call.tap.mjs, or node docs/examples/call.tap.mjs
import process from 'node:process'
import { URL } from 'node:url'
import t from 'tap'
import { expectCapture } from 'naptlab/captures'

const here = name => new URL(name, import.meta.url)
/** The run that CI has just recorded, or the one that is kept here. */
const capture = process.env.CAPTURE ?? here('call.pcapng')

t.test('alice and bob talk directly', async t => {
  const { compared } = await expectCapture(capture, { check: here('call.yaml') })
  t.ok(compared > 0, `${compared} packets compared`)
})

t.test('every packet is as in the good run', async t => {
  const { compared } = await expectCapture(capture, { golden: here('goldens/call/golden.yaml') })
  t.ok(compared > 0, `${compared} packets compared`)
})
