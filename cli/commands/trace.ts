// naptlab trace: every frame that a router handles, as it does, with what it did.
import type { CommandModule } from 'yargs'
import { decode } from '../../captures/decode.js'
import { decodePayload } from '../../captures/protocol.js'
import { summarize } from '../../captures/summary.js'
import { recordToEvent } from '../../napt/control/protocol.js'
import type { TraceRecord } from '../../napt/trace.js'
import { DROP_REASONS } from '../../napt/verdict.js'
import { connectTo, routerTarget, type RouterTarget } from '../router-target.js'

interface TraceArguments extends RouterTarget { readonly json: boolean }

export const traceCommand: CommandModule<object, TraceArguments> = {
  command: 'trace <router>',
  describe: 'Follow a router frame by frame, until Ctrl-C',
  builder: yargs => routerTarget(yargs)
    .option('json', { type: 'boolean', default: false, describe: 'One JSON object a frame, frames in base64' })
    .example('$0 trace 104b', 'what comes in, what goes out, what is dropped and why'),
  handler: async ({ json, ...target }) => {
    const client = await connectTo(target)
    await client.trace(record => console.log(json ? JSON.stringify(recordToEvent(record)) : lines(record).join('\n')))
    process.stderr.write(`following ${target.router}; Ctrl-C ends it\n`)
    await client.ended
    if (client.missed > 0) process.stderr.write(`${client.missed} frames are missing above: they came faster than this could take them\n`)
  },
}

function lines({ action, reason, waited, received, sent }: TraceRecord): string[] {
  if (action === 'hold' && received !== undefined) return [`${received.side} in   ${text(received.frame)}`, '    … waits for ARP']
  const before = received === undefined ? [] : [`${received.side} in   ${text(received.frame)}${waited === true ? ', which waited for ARP' : ''}`]
  const after = sent === undefined ? [] : [`${received === undefined ? '' : '    → '}${sent.side} out  ${text(sent.frame)}`]
  if (reason === undefined) return [...before, ...after]
  const { sentence, ...rest } = DROP_REASONS[reason]
  return [...before, `    ✗ dropped, ${reason}: ${sentence}${'clause' in rest ? ` (${rest.clause})` : ''}`]
}

const text = (frame: Uint8Array): string => summarize(decode(frame), decodePayload)
