// The keys of the equipment that may register: a file at the server with all of them, and at each acceptor a file with its own.
// Both can be read by their owner alone. A key stands there as it is, since both ends compute with it.
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { EndpointError, messageOf, systemCode } from '../errors.js'
import { encode } from '../message/index.js'
import { SecretFile } from '../secret-file.js'
import { KEY_LENGTH } from './authenticator.js'
import type { EquipmentKeys } from './server-guard.js'

interface Equipment {
  readonly equipmentId: string
  /** Hexadecimal digits. */
  readonly key: string
}

const MAX_EQUIPMENT = 10_000
/** How old what is known of the file may be, milliseconds. */
const LOOK_AGAIN = 1000

const FILE = new SecretFile<Equipment>({
  reason: 'equipment-file', title: 'equipment file', key: 'equipment', entry: 'equipment', command: 'naptlab equipment',
  parse: parseEquipment, nameOf: ({ equipmentId }) => equipmentId,
})

function parseEquipment(value: unknown, where: string, flaw: (why: string, advice: string) => EndpointError): Equipment {
  const { equipmentId, key } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  if (typeof equipmentId !== 'string' || typeof key !== 'string') throw flaw(`${where} has no equipment ID or no key`, 'remove it')
  if (keyFrom(key) === null) throw flaw(`the key of ${where} is not ${KEY_LENGTH * 2} hexadecimal digits`, 'remove the equipment and add it again')
  return { equipmentId, key }
}

/** A key from its text, or null. */
const keyFrom = (text: string): Uint8Array | null =>
  new RegExp(`^[0-9a-f]{${KEY_LENGTH * 2}}$`, 'i').test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : null

/** @returns the text of a new key. `random`: a source of secret bytes */
export const newKey = (random: (count: number) => Uint8Array = randomBytes): string => Buffer.from(random(KEY_LENGTH)).toString('hex')

/** The IDs in the file. @throws EndpointError 'equipment-file' */
export const listEquipment = async (path: string): Promise<readonly string[]> => (await FILE.read(path)).map(({ equipmentId }) => equipmentId)

/**
 * Adds an equipment; the file is made if need be, with mode 600.
 * @param key its text
 * @param keyFile where to write it for the acceptor too, a new file with mode 600
 * @throws EndpointError 'equipment-file' when it is there already, or the file cannot be read or written; EncodeError when the ID
 *   does not fit a registration
 */
export async function addEquipment(path: string, equipmentId: string, key: string, keyFile?: string): Promise<void> {
  encode({ name: 'registration', equipmentId })
  if (keyFile !== undefined) await writeKeyFile(keyFile, key)
  try {
    await addKey(path, equipmentId, key)
  } catch (error) {
    if (keyFile !== undefined) await unlink(keyFile)
    throw error
  }
}

async function addKey(path: string, equipmentId: string, key: string): Promise<void> {
  await FILE.change(path, all => {
    if (all.some(each => each.equipmentId === equipmentId)) throw FILE.unusable(path, `it has equipment '${equipmentId}' already`, 'remove that first to give it a new key')
    if (all.length >= MAX_EQUIPMENT) throw FILE.unusable(path, `it holds ${MAX_EQUIPMENT} equipments, which is all it may`, 'remove those that are not needed')
    return [...all, parseEquipment({ equipmentId, key }, 'it', (why, advice) => FILE.unusable(path, why, advice))]
  }, [])
}

/** @throws EndpointError 'equipment-file' when it is not there, or the file cannot be read or written */
export async function removeEquipment(path: string, equipmentId: string): Promise<void> {
  await FILE.change(path, all => {
    const rest = all.filter(each => each.equipmentId !== equipmentId)
    if (rest.length === all.length) throw FILE.unusable(path, `it has no equipment '${equipmentId}'`, `see: naptlab equipment list ${path}`)
    return rest
  })
}

/** The file as a running server sees it: what is added and removed counts from a second later on. */
export class EquipmentFile implements EquipmentKeys {
  readonly #path: string
  readonly #now: () => number
  readonly #onTrouble: (error: EndpointError) => void
  #keys: ReadonlyMap<string, Uint8Array>
  #version: string
  #looked: number

  /**
   * @param onTrouble told once when the file cannot be used any more; no key is known then, until it can
   * @param now milliseconds, never backwards
   * @throws EndpointError 'equipment-file' when it cannot be used now
   */
  constructor(path: string, onTrouble: (error: EndpointError) => void, now: () => number = () => performance.now()) {
    this.#path = path
    this.#onTrouble = onTrouble
    this.#now = now
    this.#version = FILE.versionSync(path)
    this.#keys = this.#read()
    this.#looked = now()
  }

  keyOf(equipmentId: string): Uint8Array | null {
    // Looked at where a key is needed, and not too often: nobody who sends registrations keeps the disk busy.
    if (this.#now() - this.#looked >= LOOK_AGAIN) this.#look()
    return this.#keys.get(equipmentId) ?? null
  }

  #look(): void {
    this.#looked = this.#now()
    try {
      const version = FILE.versionSync(this.#path)
      if (version === this.#version) return
      this.#keys = this.#read()
      this.#version = version
    } catch (error) {
      if (!(error instanceof EndpointError)) throw error
      if (this.#version !== '') this.#onTrouble(error)
      this.#version = ''
      this.#keys = new Map()
    }
  }

  #read(): ReadonlyMap<string, Uint8Array> {
    return new Map(FILE.readSync(this.#path).map(({ equipmentId, key }) => [equipmentId, parseKey(key)]))
  }
}

// --- an acceptor's own key ----------------------------------------------------------------------------------------------

const keyTrouble = (path: string, why: string, advice: string): EndpointError =>
  new EndpointError('equipment-file', `the key file ${path} cannot be used: ${why}`, advice)

async function writeKeyFile(path: string, key: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(`${key}\n`)
      await file.sync()
    } catch (error) {
      await unlink(path)
      throw error
    } finally {
      await file.close()
    }
  } catch (error) {
    throw keyTrouble(path, systemCode(error) === 'EEXIST' ? 'there is a file already' : messageOf(error), 'give another name')
  }
}

/** The key in an acceptor's file, as text. @throws EndpointError 'equipment-file' */
export function readKeyFile(path: string): string {
  const advice = 'give the file that `naptlab equipment add --write` made'
  try {
    if ((statSync(path).mode & 0o077) !== 0) throw keyTrouble(path, 'other users of this machine can read or change it', `chmod 600 ${path}`)
    const text = readFileSync(path, 'utf8').trim()
    if (keyFrom(text) === null) throw keyTrouble(path, `it does not hold ${KEY_LENGTH * 2} hexadecimal digits`, advice)
    return text
  } catch (error) {
    throw error instanceof EndpointError ? error : keyTrouble(path, systemCode(error) === 'ENOENT' ? 'there is no such file' : messageOf(error), advice)
  }
}

/** A key from its text. @throws EndpointError 'equipment-file' when it is none */
export function parseKey(text: string): Uint8Array {
  const key = keyFrom(text)
  if (key === null) throw new EndpointError('equipment-file', `a key is ${KEY_LENGTH * 2} hexadecimal digits`, 'make one with: naptlab equipment add')
  return key
}
