// A capture of call.mjs, checked with Node's own test runner: node --test docs/examples/call.node-test.mjs
import process from 'node:process'
import { test } from 'node:test'
import { URL } from 'node:url'
import { expectCapture } from 'naptlab/captures'

const here = name => new URL(name, import.meta.url)
/** The run that CI has just recorded, or the one that is kept here. */
const capture = process.env.CAPTURE ?? here('call.pcapng')

test('alice and bob talk directly', async () => {
  await expectCapture(capture, { check: here('call.yaml') })
})

test('every packet is as in the good run', async () => {
  await expectCapture(capture, { golden: here('goldens/call/golden.yaml') })
})

test('a check may stand in the test itself', async () => {
  await expectCapture(capture, {
    check: {
      expect: [{ packet: 'udp', at: '104a-wan', from: '4.17.168.2:$port', to: '130.74.23.6:1200', fields: { 'ipv4.TTL': 63 } }],
      never: [{ packet: 'tcp' }],
    },
  })
})
