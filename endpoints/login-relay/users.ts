// Who may log in: user IDs and password hashes in a file that only its owner can read (what the document calls the connection
// information holding unit). It is JSON, so that a user ID may hold any character, and it is written whole or not at all.
import { link, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { EndpointError, messageOf, systemCode } from '../errors.js'
import { EncodeError, encode } from '../message/index.js'
import { HASH_LENGTH, HASH_PARAMETERS, SALT_LENGTH, hashPassword, isPassword, parameterFlaw } from './passwords.js'
import type { FileHandle } from 'node:fs/promises'
import type { HashParameters, PasswordHash } from './passwords.js'

export interface User extends PasswordHash { readonly userId: string }

export type LoginOutcome = 'right' | 'wrong-password' | 'unknown-user'

/** Users in a file; 'user add' is for people with a shell, so this is far above what it will hold. */
const MAX_USERS = 10_000
const MAX_FILE = 8 * 2 ** 20

/** @throws EndpointError 'user-file' when the file is not there, can be read by others, or is not such a file */
export async function readUsers(path: string): Promise<readonly User[]> {
  try {
    const { mode, size } = await stat(path)
    if ((mode & 0o077) !== 0) throw unusable(path, 'other users of this machine can read or change it', `chmod 600 ${path}`)
    if (size > MAX_FILE) throw unusable(path, `it is larger than ${MAX_FILE} bytes`, 'give the file that `naptlab relay user add` made')
    return parse(path, await readFile(path, 'utf8'))
  } catch (error) {
    throw error instanceof EndpointError ? error
      : unusable(path, systemCode(error) === 'ENOENT' ? 'there is no such file' : messageOf(error), `make it with: naptlab relay user add ${path} USER`)
  }
}

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
  await change(path, users => {
    if (users.some(each => each.userId === userId)) throw unusable(path, `it has a user '${userId}' already`, 'remove that one first to give a new password')
    if (users.length >= MAX_USERS) throw unusable(path, `it holds ${MAX_USERS} users, which is all it may`, 'remove those who are not needed')
    return [...users, user]
  }, [])
}

/** @throws EndpointError when there is no such user, or the file cannot be read or written */
export async function removeUser(path: string, userId: string): Promise<void> {
  await change(path, users => {
    const rest = users.filter(each => each.userId !== userId)
    if (rest.length === users.length) throw unusable(path, `it has no user '${userId}'`, `see: naptlab relay user list ${path}`)
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
    return new UserFile(path, users, await versionOf(path), await hashPassword('', { cost, block, parallel }))
  }

  /** @throws EndpointError when the file has changed and cannot be read any more; nobody can log in then */
  async verify(userId: string, password: string): Promise<LoginOutcome> {
    const version = await versionOf(this.#path)
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

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch (error) {
    throw unusable(path, messageOf(error), 'put it back')
  }
}

function parse(path: string, text: string): User[] {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw unusable(path, messageOf(error), 'it is not a file that `naptlab relay user add` made')
  }
  const users: unknown = content !== null && typeof content === 'object' && 'users' in content ? content.users : null
  if (!Array.isArray(users)) throw unusable(path, 'it has no list of users', 'give the file that `naptlab relay user add` made')
  const read = users.map((user: unknown, at) => parseUser(path, user, at))
  const twice = read.find(({ userId }, at) => read.findIndex(user => user.userId === userId) !== at)
  if (twice) throw unusable(path, `user '${twice.userId}' is in it twice`, 'remove one of them')
  return read
}

function parseUser(path: string, value: unknown, at: number): User {
  const where = `users[${at}]`
  if (value === null || typeof value !== 'object') throw unusable(path, `${where} is not a user`, 'remove it')
  const text = (key: string): string => {
    const found: unknown = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof found !== 'string' || found === '') throw unusable(path, `${where}.${key} is not a text`, 'remove the user and add it again')
    return found
  }
  const number = (key: string): number => Number((value as Readonly<Record<string, unknown>>)[key])
  const user = { userId: text('userId'), cost: number('cost'), block: number('block'), parallel: number('parallel'), salt: text('salt'), hash: text('hash') }
  const flaw = parameterFlaw(user) ?? lengthFlaw('salt', user.salt, SALT_LENGTH) ?? lengthFlaw('hash', user.hash, HASH_LENGTH)
  if (flaw !== null) throw unusable(path, `${where}: ${flaw}`, 'remove the user and add it again')
  return user
}

const lengthFlaw = (name: string, base64: string, length: number): string | null => {
  const found = Buffer.from(base64, 'base64').length
  return found === length ? null : `${name} holds ${found} bytes, not ${length}`
}

/** The new file takes the old one's place in one step; while it is being made, its name keeps a second writer out. */
async function change(path: string, edit: (users: readonly User[]) => readonly User[], whenAbsent?: readonly User[]): Promise<void> {
  const temporary = `${path}.new`
  const file = await begin(temporary, path)
  let hasMoved = false
  try {
    const isAbsent = whenAbsent !== undefined && await stat(path).then(() => false, (error: unknown) => systemCode(error) === 'ENOENT')
    const users = edit(isAbsent ? whenAbsent : await readUsers(path))
    await file.writeFile(`${JSON.stringify({ users }, null, 2)}\n`)
    await file.sync()
    // A link refuses to replace a file that came to be there meanwhile.
    if (isAbsent) {
      await link(temporary, path)
    } else {
      await rename(temporary, path)
      hasMoved = true
    }
  } catch (error) {
    throw error instanceof EndpointError ? error : unusable(path, `it cannot be written: ${messageOf(error)}`, 'check that you may write there')
  } finally {
    await file.close()
    if (!hasMoved) await unlink(temporary) // after a rename the name may be another writer's already
  }
}

async function begin(temporary: string, path: string): Promise<FileHandle> {
  try {
    return await open(temporary, 'wx', 0o600)
  } catch (error) {
    throw systemCode(error) === 'EEXIST'
      ? unusable(path, 'somebody else is changing it', `if nobody is, remove ${temporary}`)
      : unusable(path, `it cannot be written: ${messageOf(error)}`, 'check that you may write there')
  }
}

const unusable = (path: string, why: string, advice: string): EndpointError => new EndpointError('user-file', `the user file ${path} cannot be used: ${why}`, advice)
