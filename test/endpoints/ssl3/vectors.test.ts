// Key derivation against numbers that another program has made: Python's hashlib, straight from the formulas of RFC 6101.
//
//   from hashlib import md5, sha1
//   M = lambda *p: md5(b''.join(p)).digest()
//   S = lambda *p: sha1(b''.join(p)).digest()
//   pms = bytes([3, 0]) + bytes(range(2, 48)); cr = bytes(range(32)); sr = bytes(range(100, 132))
//   master = b''.join(M(pms, S(c, pms, cr, sr)) for c in (b'A', b'BB', b'CCC'))
//   block = b''.join(M(master, S(bytes([65 + i]) * (i + 1), master, sr, cr)) for i in range(7))[:104]
//   fin = M(master, b'\x5c' * 48, M(b'hello', b'CLNT', master, b'\x36' * 48)) + S(master, b'\x5c' * 40, S(b'hello', b'CLNT', master, b'\x36' * 40))
//   mac = S(block[:20], b'\x5c' * 40, S(block[:20], b'\x36' * 40, bytes(7) + b'\x05\x17\x00\x03', b'217'))
//   for v in (master, block, fin, mac): print(v.hex())
import t from 'tap'
import { Transcript, connectionKeys, masterSecret, recordMac } from '../../../endpoints/ssl3/key-derivation.js'
import { SUITES } from '../../../endpoints/ssl3/suites.js'

const range = (start: number, end: number): Buffer => Buffer.from(Array.from({ length: end - start }, (_, at) => start + at))

const PRE_MASTER = Buffer.concat([Buffer.of(3, 0), range(2, 48)])
const RANDOMS = { client: range(0, 32), server: range(100, 132) }
const MASTER = '48f7887bd62db3ed27cfce122bbba602f0d18b580b448567e4bde2f0189cc41c4dd1c4e2544ca311feb52c06d00db9ca'
const BLOCK = 'e665be9b8cac7e9c35d1ba3b03749859e5d4319e66e14fa44c4c9153c482775a2e4e965f1c9802aec7db00f0b0fff9b77882db92d3eb8a5fbb13755702abf0fab61069a21866c21442f34031a99e34f68075b94811e5f94efb765ae9b86a6b15d82c65da465abbb0'
const FINISHED = 'bfe974657b90069ab5ccc61cf11e6c336bd12a131f9e39e25dc95b4a914b442d0131a3c0'
const MAC = '9a4090fbcbff05bc86e4fe0d230b62e6963f2ab6'

t.test('equation (1)', async t => {
  t.equal(masterSecret(PRE_MASTER, RANDOMS).toString('hex'), MASTER)
})

t.test('the key block, cut up for both directions', async t => {
  const suite = SUITES.find(({ id }) => id === 0x000a)!
  const { client, server } = connectionKeys(suite, Buffer.from(MASTER, 'hex'), RANDOMS)
  t.equal([client.macSecret, server.macSecret, client.key, server.key, client.iv, server.iv].map(part => part.toString('hex')).join(''), BLOCK)
  t.same([client.macSecret, client.key, client.iv].map(part => part.length), [20, 24, 8])
})

t.test('finished', async t => {
  const transcript = new Transcript()
  transcript.add(Buffer.from('hel'))
  transcript.add(Buffer.from('lo'))
  t.equal(transcript.finished('client', Buffer.from(MASTER, 'hex')).toString('hex'), FINISHED)
  t.not(transcript.finished('server', Buffer.from(MASTER, 'hex')).toString('hex'), FINISHED, 'each end vouches in its own name')
})

t.test('the MAC of a record', async t => {
  const head = Buffer.from('0000000000000005170003', 'hex')
  t.equal(recordMac(Buffer.from(BLOCK, 'hex').subarray(0, 20), head, Buffer.from('217')).toString('hex'), MAC)
})
