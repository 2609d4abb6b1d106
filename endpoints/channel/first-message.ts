// The first message of a connection, as a server receives it. Under TLS the other end may say instead that it does not accept the
// server's certificate (tls-channel.ts).
import { describe, verdictOf } from '../answers.js'
import { ChannelError, type Channel } from './channel.js'
import type { MessageName, MessageOf } from '../message/index.js'

/** As `channel.receive`. @throws ChannelError, 'refused' when the other end does not accept this end's certificate */
export async function receiveFirst<N extends Exclude<MessageName, 'answer'>>(channel: Channel, accepts: readonly N[], within: number): Promise<MessageOf<N>> {
  const message = await channel.receive<N | 'answer'>(channel.isEncrypted ? [...accepts, 'answer'] : accepts, within)
  if (message.name === 'answer') throw new ChannelError('refused', describe(verdictOf(message as MessageOf<'answer'>)))
  return message as MessageOf<N>
}
