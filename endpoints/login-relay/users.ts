// Who may log in: user IDs and password hashes in a file that only its owner can read (what the document calls the connection
// information holding unit). It is JSON, so that a user ID may hold any character, and it is written whole or not at all.
import { EndpointError } from '../errors.js'
import { EncodeError, encode } from '../message/index.js'
import { SecretFile } from '../secret-file.js'
import { HASH_LENGTH, HASH_PARAMETERS, SALT_LENGTH, hashPassword, isPassword, parameterFlaw } from './passwords.js'
import type { HashParameters, PasswordHash } from './passwords.js'

export interface User extends PasswordHash { readonly userId: string }

export type LoginOutcome = 'right' | 'wrong-password' | 'unknown-user'

/** Users in a file; 'user add' is for people with a shell, so this is far above what it will hold. */
const MAX_USERS = 10_000

const FILE = new SecretFile<User>({
  reason: 'user-file', title: 'user file', key: 'users', entry: 'user', command: 'naptlab relay user', parse: parseUser, nameOf: ({ userId }) => userId,
})

/** @throws EndpointError 'user-file' when the file is not there, can be read by others, or is not such a file */
export const readUsers = (path: string): Promise<readonly User[]> => FILE.read(path)

/**
 * Adds a user; the file is made if need be, with mode 600.
 * @throws EndpointError when the user is there already, or the file cannot be read or written; EncodeError when the user ID or
 *   the password does not fit a log-in
 */
export async function addUser(path: string, userId: string, password: string, parameters: HashParameters = HASH_PARAMETERS): Promise<void> {
  encode({ name: 'login', userId, password, token: '00'.repeat(8) })
  const flaw = parameterFlaw(parameters)
  if (flaw !== null) throw new EncodeError(flaw)
  const user = { userId, ...await hashPassword(password, parameters) }
  await FILE.change(path, users => {
    if (users.some(each => each.userId === userId)) throw FILE.unusable(path, `it has a user '${userId}' already`, 'remove that one first to give a new password')
    if (users.length >= MAX_USERS) throw FILE.unusable(path, `it holds ${MAX_USERS} users, which is all it may`, 'remove those who are not needed')
    return [...users, user]
  }, [])
}

/** @throws EndpointError when there is no such user, or the file cannot be read or written */
export async function removeUser(path: string, userId: string): Promise<void> {
  await FILE.change(path, users => {
    const rest = users.filter(each => each.userId !== userId)
    if (rest.length === users.length) throw FILE.unusable(path, `it has no user '${userId}'`, `see: naptlab relay user list ${path}`)
    return rest
  })
}

/** The file as a running relay server sees it: what `user add` and `user remove` change counts from the next log-in on. */
export class UserFile {
  readonly #path: string
  #users: ReadonlyMap<string, User>
  #version: string
  /** What an unknown user's password is compared with, so that it takes as long as a known one's. */
  readonly #nobody: PasswordHash

  private constructor(path: string, users: readonly User[], version: string, nobody: PasswordHash) {
    this.#path = path
    this.#users = byId(users)
    this.#version = version
    this.#nobody = nobody
  }

  /** @throws EndpointError 'user-file' */
  static async open(path: string): Promise<UserFile> {
    const users = await readUsers(path)
    const { cost, block, parallel } = users.at(0) ?? HASH_PARAMETERS
    return new UserFile(path, users, await FILE.version(path), await hashPassword('', { cost, block, parallel }))
  }

  /** @throws EndpointError when the file has changed and cannot be read any more; nobody can log in then */
  async verify(userId: string, password: string): Promise<LoginOutcome> {
    const version = await FILE.version(this.#path)
    if (version !== this.#version) {
      this.#users = byId(await readUsers(this.#path))
      this.#version = version
    }
    const user = this.#users.get(userId)
    const isRight = await isPassword(password, user ?? this.#nobody)
    return user === undefined ? 'unknown-user' : isRight ? 'right' : 'wrong-password'
  }
}

const byId = (users: readonly User[]): ReadonlyMap<string, User> => new Map(users.map(user => [user.userId, user]))

function parseUser(value: unknown, where: string, unusable: (why: string, advice: string) => EndpointError): User {
  if (value === null || typeof value !== 'object') throw unusable(`${where} is not a user`, 'remove it')
  const text = (key: string): string => {
    const found: unknown = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof found !== 'string' || found === '') throw unusable(`${where}.${key} is not a text`, 'remove the user and add it again')
    return found
  }
  const number = (key: string): number => Number((value as Readonly<Record<string, unknown>>)[key])
  const user = { userId: text('userId'), cost: number('cost'), block: number('block'), parallel: number('parallel'), salt: text('salt'), hash: text('hash') }
  const flaw = parameterFlaw(user) ?? lengthFlaw('salt', user.salt, SALT_LENGTH) ?? lengthFlaw('hash', user.hash, HASH_LENGTH)
  if (flaw !== null) throw unusable(`${where}: ${flaw}`, 'remove the user and add it again')
  return user
}

const lengthFlaw = (name: string, base64: string, length: number): string | null => {
  const found = Buffer.from(base64, 'base64').length
  return found === length ? null : `${name} holds ${found} bytes, not ${length}`
}
