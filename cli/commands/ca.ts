// naptlab ca: the certificate authority (51) of Fig. 5, and what servers and equipment need of it.
import { AUTHORITY_PORT, EndpointError, TIMEOUTS, certificates } from '../../endpoints/index.js'
import { parseAllowances, parseDays, parseFingerprint, parseNames, readEnrolmentSecret } from '../ca-options.js'
import { stopSignal, untilAborted } from '../stop-signal.js'
import { UsageError } from '../errors.js'
import { parseDuration, parseLocalPort, parsePort } from '../options.js'
import { printFailure, printer } from '../output.js'
import { columns } from '../tables.js'
import type { CommandModule, InferredOptionTypes, Options } from 'yargs'

const DAY = 86_400_000

/** What a file of this machine does not allow is for the caller to put right. @throws UsageError, and what is no such error */
async function withFiles<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof EndpointError ? new UsageError(error.message) : error
  }
}

const written = (paths: readonly string[]): void => console.log(paths.map(path => `written  ${path}`).join('\n'))
const described = (rows: readonly (readonly string[])[]): void => console.log(columns(rows, '').join('\n'))
const describedCertificate = (certificate: Parameters<typeof certificates.describeCertificate>[0]): void => described(certificates.describeCertificate(certificate))

// --- the CA -----------------------------------------------------------------------------------------------------------

const initOptions = {
  name: { type: 'string', default: certificates.AUTHORITY_NAME, describe: 'who the CA is, for people' },
  days: { type: 'number', default: certificates.AUTHORITY_LIFETIME / DAY, describe: 'that its certificate is valid' },
} as const satisfies Record<string, Options>

const initCommand: CommandModule<object, InferredOptionTypes<typeof initOptions> & { readonly folder: string }> = {
  command: 'init <folder>',
  describe: 'Make a CA: its key pair (52, 53) and certificate',
  builder: yargs => yargs.positional('folder', { type: 'string', demandOption: true, describe: 'Where ca.key and ca.crt go; made if need be' }).options(initOptions)
    .example('$0 ca init my-ca', 'valid for ten years'),
  async handler({ folder, name, days }) {
    const lifetime = parseDays(days)
    await withFiles(certificates.claimAuthorityFolder(folder))
    const authority = await certificates.createAuthority(await certificates.generateKeys(), { name, lifetime })
    written(await withFiles(certificates.saveAuthority(folder, authority)))
    describedCertificate(authority.certificate)
  },
}

const allow = { type: 'string', array: true, nargs: 1, demandOption: true } as const

const serveOptions = {
  allow: { ...allow, describe: 'NAME that is certified for whoever asks from it (an address), or NAME=ADDRESS; repeatable' },
  'secret-file': { type: 'string', describe: 'enrolment secret that requests have to prove, from whatever address' },
  days: { type: 'number', default: certificates.CERTIFICATE_LIFETIME / DAY, describe: 'that the certificates are valid' },
  address: { type: 'string', describe: 'address of this machine to serve at; all when absent' },
  port: { type: 'number', default: AUTHORITY_PORT, coerce: parseLocalPort, describe: 'TCP port; 0 for any' },
  json: { type: 'boolean', default: false, describe: 'one JSON object a line' },
} as const satisfies Record<string, Options>

const folderOfCa = { type: 'string', demandOption: true, describe: 'The folder that `ca init` made' } as const

const serveCommand: CommandModule<object, InferredOptionTypes<typeof serveOptions> & { readonly folder: string }> = {
  command: 'serve <folder>',
  describe: 'Issue certificates (63, 54) and hand out the CA certificate (55) until SIGINT or SIGTERM',
  builder: yargs => yargs.positional('folder', folderOfCa).options(serveOptions)
    .example('$0 ca serve my-ca --allow 130.74.23.6', 'for the server of Fig. 2, when it asks from its own address')
    .example('$0 ca serve my-ca --allow server.example --secret-file secret', 'for whoever proves the secret (openssl rand -hex 16 > secret)'),
  async handler({ folder, allow, secretFile, days, address, port, json }) {
    const print = printer(json), stop = stopSignal(), lifetime = parseDays(days)
    const secret = secretFile === undefined ? {} : { secret: readEnrolmentSecret(secretFile) }
    const authority = await withFiles(certificates.openAuthority(folder))
    if (!json) console.log(`CA certificate, SHA-256 ${certificates.fingerprintOf(authority.certificate)}`)
    try {
      const server = await certificates.startAuthorityServer({
        authority, allow: parseAllowances(allow), lifetime, port, onEvent: print, ...secret, ...(address === undefined ? {} : { address }),
      })
      await untilAborted(stop)
      await server.close()
    } catch (error) {
      printFailure(print, '51', error)
    }
  },
}

const issueOptions = {
  allow: { ...allow, describe: 'NAME that may be certified; all that the request asks for have to be allowed; repeatable' },
  out: { type: 'string', demandOption: true, describe: 'File for the certificate' },
  days: { type: 'number', default: certificates.CERTIFICATE_LIFETIME / DAY, describe: 'that it is valid' },
} as const satisfies Record<string, Options>

const issueCommand: CommandModule<object, InferredOptionTypes<typeof issueOptions> & { readonly folder: string, readonly request: string }> = {
  command: 'issue <folder> <request>',
  describe: 'Issue a certificate (65) for a request in a file',
  builder: yargs => yargs.positional('folder', folderOfCa).positional('request', { type: 'string', demandOption: true, describe: 'PKCS#10, PEM' }).options(issueOptions)
    .example('$0 ca issue my-ca server.csr --allow 130.74.23.6 --out server.crt', 'without a network'),
  async handler({ folder, request: file, allow, out, days }) {
    const lifetime = parseDays(days), allowed = parseNames(allow)
    const authority = await withFiles(certificates.openAuthority(folder))
    const request = await readRequestFile(file)
    const denied = request.names.find(name => !allowed.includes(name))
    if (denied !== undefined) throw new UsageError(`${file} asks for ${request.names.join(', ')}, and ${denied} is not allowed; give --allow ${denied} if it should be`)
    const certificate = await withFiles(certificates.issueCertificate(authority, request, { lifetime }))
    written(await withFiles(certificates.saveNew([{ path: out, text: certificate.toString() }])))
    describedCertificate(certificate)
  },
}

/** @throws UsageError when there is none, Error when it is not one that may be certified */
async function readRequestFile(path: string): Promise<certificates.CertificateRequest> {
  const content = await withFiles(certificates.readCertificateOrRequest(path))
  if (content === null || 'certificate' in content) throw new UsageError(`${path} holds no certificate request; it begins with -----BEGIN CERTIFICATE REQUEST-----`)
  const request = await certificates.readRequest(content.request)
  if (request instanceof certificates.Objection) throw new Error(`${path}: ${certificates.describeObjection(request)}`)
  return request
}

// --- a server, and whoever wants the CA certificate -------------------------------------------------------------------

const name = { type: 'string', array: true, nargs: 1, demandOption: true, coerce: parseNames, describe: 'address or DNS name at which the server is reached; repeatable' } as const

const requestOptions = { name, out: { type: 'string', demandOption: true, describe: 'folder for server.key and server.csr' } } as const satisfies Record<string, Options>

const requestCommand: CommandModule<object, InferredOptionTypes<typeof requestOptions>> = {
  command: 'request',
  describe: "Make a server's key pair (61, 62) and certificate request (63) as files",
  builder: yargs => yargs.options(requestOptions).example('$0 ca request --name 130.74.23.6 --out server', 'then, at the CA: naptlab ca issue'),
  async handler({ name: names, out }) {
    await withFiles(certificates.claimServerFolder(out))
    const keys = await certificates.generateKeys()
    written(await withFiles(certificates.saveRequest(out, keys.privateKey, await certificates.createRequest(keys, names))))
  },
}

const caOptions = {
  'ca-server': { type: 'string', demandOption: true, describe: 'address of the CA' },
  'ca-port': { type: 'number', default: AUTHORITY_PORT, coerce: parsePort, describe: 'its TCP port' },
  fingerprint: { type: 'string', coerce: parseFingerprint, describe: 'SHA-256 that the CA certificate must have; without it the first that comes is trusted' },
  timeout: { type: 'string', default: `${TIMEOUTS.message / 1000}s`, coerce: parseDuration, describe: 'for each message' },
  json: { type: 'boolean', default: false, describe: 'one JSON object a line' },
} as const satisfies Record<string, Options>

const toClient = ({ caServer, caPort, fingerprint, timeout }: { caServer: string, caPort: number, fingerprint: string | undefined, timeout: number }) =>
  ({ authority: { address: caServer, port: caPort }, timeout, signal: stopSignal(), ...(fingerprint === undefined ? {} : { fingerprint }) })

const enrolOptions = {
  ...caOptions, name,
  address: { type: 'string', describe: 'address of this machine to ask from; any when absent' },
  'secret-file': { type: 'string', describe: 'enrolment secret, where the CA has one' },
  out: { type: 'string', demandOption: true, describe: 'folder for server.key, server.crt and ca.crt' },
} as const satisfies Record<string, Options>

const enrolCommand: CommandModule<object, InferredOptionTypes<typeof enrolOptions>> = {
  command: 'enrol',
  describe: "Make a server's key pair and get its certificate from the CA (63, 54)",
  builder: yargs => yargs.options(enrolOptions)
    .example('$0 ca enrol --ca-server 130.74.23.51 --name 130.74.23.6 --out server', 'as 101 in Fig. 5')
    .example('$0 ca enrol --ca-server 130.74.23.51 --name server.example --secret-file secret --out server', 'proved by a secret'),
  async handler(args) {
    const { name: names, address, secretFile, out, json } = args
    const print = printer(json), secret = secretFile === undefined ? {} : { secret: readEnrolmentSecret(secretFile) }
    await withFiles(certificates.claimServerFolder(out))
    try {
      const keys = await certificates.generateKeys()
      const enrolment = await certificates.enrol({
        ...toClient(args), apparatus: '101', keys, names, onEvent: print, ...secret, ...(address === undefined ? {} : { from: { address } }),
      })
      const paths = await withFiles(certificates.saveEnrolment(out, keys.privateKey, enrolment))
      if (!json) written(paths)
    } catch (error) {
      printFailure(print, '101', error)
    }
  },
}

const fetchOptions = { ...caOptions, out: { type: 'string', demandOption: true, describe: 'file for the CA certificate' } } as const satisfies Record<string, Options>

const fetchCommand: CommandModule<object, InferredOptionTypes<typeof fetchOptions>> = {
  command: 'fetch',
  describe: 'Get the CA certificate (55), with which 102 and 103 check the server',
  builder: yargs => yargs.options(fetchOptions)
    .example('$0 ca fetch --ca-server 130.74.23.51 --out ca.crt', 'trusts the first that comes, and prints its fingerprint')
    .example('$0 ca fetch --ca-server 130.74.23.51 --fingerprint 3F:A2:… --out ca.crt', 'takes only the one that `naptlab ca show` shows at the CA'),
  async handler(args) {
    const { out, json } = args, print = printer(json)
    await withFiles(certificates.refuseExisting([out]))
    try {
      const authority = await certificates.fetchAuthority({ ...toClient(args), apparatus: '102', onEvent: print })
      const paths = await withFiles(certificates.saveNew([{ path: out, text: authority.toString() }]))
      if (!json) written(paths)
    } catch (error) {
      printFailure(print, '102', error)
    }
  },
}

const showCommand: CommandModule<object, { readonly file: string, readonly json: boolean }> = {
  command: 'show <file>',
  describe: 'Show a certificate or a certificate request',
  builder: yargs => yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'PEM' })
    .option('json', { type: 'boolean', default: false, describe: 'as JSON' })
    .example('$0 ca show my-ca/ca.crt', 'its fingerprint is what others pin'),
  async handler({ file, json }) {
    const content = await withFiles(certificates.readCertificateOrRequest(file))
    if (content === null) throw new UsageError(`${file} holds neither a certificate nor a certificate request in PEM`)
    const rows = 'certificate' in content ? certificates.describeCertificate(certificates.readCertificate(content.certificate, file)) : describeRequest(await readRequestFile(file))
    if (json) console.log(JSON.stringify(Object.fromEntries(rows)))
    else described(rows)
  },
}

const describeRequest = ({ names, publicKey }: certificates.CertificateRequest): [string, string][] =>
  [['certificate request', 'its signature is right'], ['names', names.join(', ')], ['public key', certificates.describeKey(publicKey)]]

export const caCommand: CommandModule = {
  command: 'ca',
  describe: 'Certificates for the server: a certificate authority (51), and what others need of it',
  builder: yargs => yargs
    .command(initCommand).command(serveCommand).command(enrolCommand).command(fetchCommand).command(requestCommand).command(issueCommand).command(showCommand)
    .demandCommand(1, 'Which: init, serve, enrol, fetch, request, issue or show?')
    .example('$0 ca init my-ca', 'the CA: ca.key and ca.crt')
    .example('$0 ca serve my-ca --allow 130.74.23.6', 'certifies the server at that address')
    .example('$0 ca show server.crt', 'what a certificate says'),
  handler: () => undefined,
}
