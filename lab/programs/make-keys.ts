// A key pair, on a bench where everybody waits for it (authority-task.ts, enrol-tasks.ts).
import { generateKeys, type KeyPair } from '../../endpoints/ca/keys.js'
import { loadX509 } from '../../endpoints/ca/x509.js'
import { wallClock, type OnEvent } from '../../endpoints/events.js'

/** Loads, meanwhile, what the keys are used with. */
export async function makeKeys(apparatus: '51' | '101', step: '52/53' | '61/62', print: OnEvent): Promise<KeyPair> {
  const [keys] = await Promise.all([generateKeys(), loadX509()])
  print({ time: wallClock(), apparatus, event: 'keys-made', step })
  return keys
}
