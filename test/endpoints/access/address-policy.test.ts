// Which addresses an acceptor connects to.
import t from 'tap'
import { addressCheck, parsePrefix } from '../../../endpoints/index.js'
import { SPECIAL_ADDRESSES } from '../../../endpoints/access/special-addresses.js'

const HOME = () => [{ name: 'lo', address: '127.0.0.1', length: 8 }, { name: 'eth0', address: '192.168.1.3', length: 24 }, { name: 'eth1', address: '81.2.3.77', length: 28 }]
const check = addressCheck({ interfaces: HOME })

t.test('the first and the last address of every special block are refused, with its name', async t => {
  for (const { prefix, name, rfc } of SPECIAL_ADDRESSES) {
    const { base, length } = parsePrefix(prefix)
    for (const number of [base, base + 2 ** (32 - length) - 1]) {
      const address = [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256).join('.')
      t.match(check(address), /it is in /, `${address} ${name}`)
      t.match(check(address), new RegExp(`${rfc}|own network|own address|${number === 2 ** 32 - 1 ? 'RFC 919' : rfc}`))
    }
  }
})

t.test('addresses next to them, and those of the figures, are not', async t => {
  const open = [
    '4.17.168.2', '202.204.16.13', '8.117.12.109', '1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0',
    '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0', '192.0.3.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0',
    '198.51.99.255', '203.0.114.0', '223.255.255.255', '81.2.3.63', '81.2.3.80',
  ]
  for (const address of open) t.equal(check(address), null, address)
})

t.test("the machine's own addresses and networks are refused, global ones too", async t => {
  t.match(check('81.2.3.77'), /81\.2\.3\.77\/32, this machine's own address/)
  t.match(check('81.2.3.65'), /81\.2\.3\.64\/28, this machine's own network at eth1/)
  t.match(check('192.168.1.255'), /own network at eth0/)
  t.match(addressCheck()('127.0.0.1'), /own address|Loopback/, 'the system is asked where nothing is given')
  let address = '5.5.5.5'
  const moving = addressCheck({ interfaces: () => [{ name: 'ppp0', address, length: 32 }] })
  t.ok(moving('5.5.5.5'))
  address = '6.6.6.6'
  t.equal(moving('5.5.5.5'), null)
  t.ok(moving('6.6.6.6'), 'asked anew for each connection')
})

t.test('the longest prefix decides', async t => {
  const wide = addressCheck({ allow: ['128.0.0.0/1', '192.168.0.0/16'], interfaces: HOME })
  t.equal(wide('192.168.7.1'), null)
  t.match(wide('192.168.1.7'), /own network/, 'the own LAN has to be named')
  t.match(wide('172.16.0.1'), /Private-Use/)
  const near = addressCheck({ allow: ['192.168.1.0/24'], interfaces: HOME })
  t.equal(near('192.168.1.7'), null)
  t.match(near('192.168.1.3'), /own address/)
  t.equal(addressCheck({ allow: ['127.0.0.1'], interfaces: HOME })('127.0.0.1'), null)
  const denied = addressCheck({ allow: ['10.0.0.0/8'], deny: ['10.9.0.0/16', '202.204.16.13'], interfaces: HOME })
  t.equal(denied('10.8.0.1'), null)
  t.match(denied('10.9.0.1'), /denied here/)
  t.match(denied('202.204.16.13'), /denied here/)
  t.match(addressCheck({ allow: ['10.0.0.0/8'], deny: ['10.0.0.0/8'], interfaces: HOME })('10.0.0.1'), /denied/)
})

t.test('what is no prefix, or can never be connected to, is refused when it is given', async t => {
  for (const text of ['', 'x', '1.2.3', '1.2.3.4/33', '1.2.3.4/', '1.2.3.256', '01.2.3.4', '::1', '1.2.3.4/8 ']) t.throws(() => parsePrefix(text), RangeError, text)
  t.throws(() => parsePrefix('10.1.0.0/8'), /did you mean 10\.0\.0\.0\/8/)
  t.same(parsePrefix('0.0.0.0/0'), { base: 0, length: 0 })
  t.same(parsePrefix('255.255.255.255'), { base: 2 ** 32 - 1, length: 32 })
  for (const text of ['0.0.0.0', '0.0.0.0/8', '224.0.0.0/4', '239.1.1.1', '255.255.255.255']) t.throws(() => addressCheck({ allow: [text] }), /cannot be allowed/, text)
  t.match(addressCheck({ allow: ['0.0.0.0/0', '240.0.0.0/4'] })('0.0.0.0'), /This host on this network/)
  t.match(addressCheck({ allow: ['0.0.0.0/0', '240.0.0.0/4'] })('255.255.255.255'), /Limited Broadcast/)
  t.match(check('1.2.3'), /not an IPv4 address/)
})
