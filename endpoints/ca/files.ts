// Keys and certificates as files: PEM, whole or not at all, never in the place of another, and private keys for their owner alone.
import { createPrivateKey } from 'node:crypto'
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { EndpointError, messageOf, systemCode } from '../errors.js'
import { readCertificate } from './certificate.js'
import { privatePem } from './keys.js'
import type { KeyObject } from 'node:crypto'
import type { Authority } from './authority.js'
import type { Enrolment } from './client.js'

/** Of a CA (51): 53, and its certificate with 52. */
const AUTHORITY_KEY = 'ca.key', AUTHORITY_CERTIFICATE = 'ca.crt'
/** Of a server (101): 61, 63, 65. */
const SERVER_KEY = 'server.key', SERVER_REQUEST = 'server.csr', SERVER_CERTIFICATE = 'server.crt'

/** Far above what a certificate or a request takes, bytes. */
const MAX_FILE = 2 ** 20
const SECRET_MODE = 0o600, PUBLIC_MODE = 0o644

export interface NewFile { readonly path: string, readonly text: string, readonly isSecret?: boolean }

/**
 * Writes all of the files, or none.
 * @returns their paths
 * @throws EndpointError 'file-refused' when one is there already, or cannot be written
 */
export async function saveNew(files: readonly NewFile[]): Promise<string[]> {
  await refuseExisting(files.map(({ path }) => path))
  const done: string[] = []
  try {
    for (const file of files) {
      await putNew(file)
      done.push(file.path)
    }
    return done
  } catch (error) {
    for (const path of done) await unlink(path)
    throw error instanceof EndpointError ? error : new EndpointError('file-refused', messageOf(error), 'check that you may write there', { cause: error })
  }
}

/** For what takes long to make: says beforehand that it could not be kept. @throws EndpointError 'file-refused' */
export async function refuseExisting(paths: readonly string[]): Promise<void> {
  for (const path of paths) if (await stat(path).then(() => true, () => false)) throw taken(path)
}

/** Where a CA's files go, before there is anything to put there. @throws EndpointError 'file-refused' when one of them is there */
export async function claimAuthorityFolder(folder: string): Promise<void> {
  await makeFolder(folder)
  await refuseExisting([AUTHORITY_KEY, AUTHORITY_CERTIFICATE].map(name => join(folder, name)))
}

/** @returns the paths, the certificate last. @throws EndpointError 'file-refused' */
export async function saveAuthority(folder: string, { certificate, privateKey }: Authority): Promise<string[]> {
  return await saveNew([
    { path: join(folder, AUTHORITY_KEY), text: privatePem(privateKey), isSecret: true },
    { path: join(folder, AUTHORITY_CERTIFICATE), text: certificate.toString() },
  ])
}

/** @throws EndpointError when there is no CA in that folder, or it cannot be used */
export async function openAuthority(folder: string): Promise<Authority> {
  const keyFile = join(folder, AUTHORITY_KEY), certificateFile = join(folder, AUTHORITY_CERTIFICATE)
  const advice = `make a CA with: naptlab ca init ${folder}`
  const certificate = readCertificate(await readSmall(certificateFile, advice), certificateFile)
  const privateKey = readPrivateKey(await readSmall(keyFile, advice), keyFile)
  if (((await stat(keyFile)).mode & 0o077) !== 0) throw unusable(`other users of this machine can read or change ${keyFile}`, `chmod 600 ${keyFile}`)
  if (privateKey.asymmetricKeyType !== 'rsa') throw unusable(`the key in ${keyFile} is ${privateKey.asymmetricKeyType ?? 'unknown'}, and this CA signs with RSA`, advice)
  if (!certificate.checkPrivateKey(privateKey)) throw unusable(`${keyFile} is not the key of ${certificateFile}`, 'put the file that belongs to it back')
  return { certificate, privateKey }
}

/** Where a server's files go, before there is anything to put there. @throws EndpointError 'file-refused' when one of them is there */
export async function claimServerFolder(folder: string): Promise<void> {
  await makeFolder(folder)
  await refuseExisting([SERVER_KEY, SERVER_REQUEST, SERVER_CERTIFICATE, AUTHORITY_CERTIFICATE].map(name => join(folder, name)))
}

/** @returns the paths. @throws EndpointError 'file-refused' */
export const saveEnrolment = (folder: string, privateKey: KeyObject, { certificate, authority }: Enrolment): Promise<string[]> => saveNew([
  { path: join(folder, SERVER_KEY), text: privatePem(privateKey), isSecret: true },
  { path: join(folder, SERVER_CERTIFICATE), text: certificate.toString() },
  { path: join(folder, AUTHORITY_CERTIFICATE), text: authority.toString() },
])

/** @param request DER. @returns the paths. @throws EndpointError 'file-refused' */
export const saveRequest = (folder: string, privateKey: KeyObject, request: Uint8Array): Promise<string[]> => saveNew([
  { path: join(folder, SERVER_KEY), text: privatePem(privateKey), isSecret: true },
  { path: join(folder, SERVER_REQUEST), text: requestPem(request) },
])

/** A certificate in PEM, or a request in DER; null when the file holds neither. @throws EndpointError 'file-unreadable' */
export async function readCertificateOrRequest(path: string): Promise<{ readonly certificate: string } | { readonly request: Uint8Array } | null> {
  const text = await readSmall(path, 'give a file that `naptlab ca` or openssl has written')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return { certificate: text }
  const block = /-----BEGIN (NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]*)-----END /.exec(text)
  return block === null ? null : { request: Buffer.from(block[2], 'base64') }
}

// ----------------------------------------------------------------------------------------------------------------------

async function readSmall(path: string, advice: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_FILE) throw unusable(`${path} is larger than ${MAX_FILE} bytes`, advice)
    return await readFile(path, 'utf8')
  } catch (error) {
    throw error instanceof EndpointError ? error : new EndpointError('file-unreadable', systemCode(error) === 'ENOENT' ? `there is no file ${path}` : messageOf(error), advice, { cause: error })
  }
}

function readPrivateKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new EndpointError('certificate-unusable', `the private key in ${path} cannot be read`, 'give one in PKCS#8 PEM, without a passphrase', { cause: error })
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new EndpointError('file-refused', `the folder ${folder} cannot be made: ${messageOf(error)}`, 'choose another', { cause: error })
  }
}

/** A link, other than a rename, refuses to replace a file that came to be there meanwhile. */
async function putNew({ path, text, isSecret = false }: NewFile): Promise<void> {
  const temporary = `${path}.${process.pid}.part`
  const file = await open(temporary, 'wx', isSecret ? SECRET_MODE : PUBLIC_MODE)
  try {
    await file.writeFile(text)
    await file.sync()
    await link(temporary, path)
  } catch (error) {
    throw systemCode(error) === 'EEXIST' ? taken(path) : error
  } finally {
    await file.close()
    await unlink(temporary)
  }
}

const requestPem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE REQUEST-----\n`

const taken = (path: string): EndpointError => new EndpointError('file-refused', `${path} is there already, and is left as it is`, 'choose another name or folder, or remove it yourself')
const unusable = (why: string, advice: string): EndpointError => new EndpointError('certificate-unusable', why, advice)
