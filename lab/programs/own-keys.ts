// A program's own key pair: handed over with its task, or made here.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { generateKeys, type KeyPair } from '../../endpoints/ca/keys.js'
import { wallClock, type OnEvent } from '../../endpoints/events.js'

/** @param key the private key (PEM) where it was made beforehand */
export async function ownKeys(key: string | undefined, apparatus: '51' | '101', step: '52/53' | '61/62', print: OnEvent): Promise<KeyPair> {
  const keys = key === undefined ? await generateKeys() : keysFrom(key)
  print({ time: wallClock(), apparatus, event: 'keys-made', step })
  return keys
}

function keysFrom(pem: string): KeyPair {
  const privateKey = createPrivateKey(pem)
  return { privateKey, publicKey: createPublicKey(privateKey) }
}
