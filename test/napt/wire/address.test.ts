// Addresses, prefixes, ports and MAC addresses: text to value and back, and errors that say what is wrong.
import t from 'tap'
import { AddressError, formatEndpoint, formatIpv4, formatMac, isHostAddress, isInPrefix, parseEndpoint, parseIpv4, parseMac, parsePort, parsePrefix, prefixMask } from '../../../napt/wire/address.js'

function thrownBy(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}

t.test('what is written is what was read', async t => {
  for (const text of ['0.0.0.0', '4.17.168.2', '127.0.0.1', '130.74.23.6', '202.204.16.13', '255.255.255.255']) t.equal(formatIpv4(parseIpv4(text)), text)
  const { address, port } = parseEndpoint('202.204.16.13:3400')
  t.equal(formatEndpoint(address, port), '202.204.16.13:3400')
  t.equal(formatMac(parseMac('02:AB:00:00:00:ff')), '02:ab:00:00:00:ff')
  t.equal(parsePort('65535'), 65535)
  t.equal(parsePort(1), 1)
  t.same(parsePrefix('192.168.1.1/24'), { address: parseIpv4('192.168.1.1'), length: 24 })
})

t.test('an address is a signed 32-bit number', async t => {
  t.equal(parseIpv4('4.17.168.2'), 0x0411a802)
  t.equal(parseIpv4('255.255.255.255'), -1)
})

t.test('errors show the text, say what is wanted and give an example', async t => {
  const refused: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['three numbers', () => parseIpv4('1.2.3'), /^'1\.2\.3' is not an IPv4 address .*192\.168\.1\.11/],
    ['five numbers', () => parseIpv4('1.2.3.4.5'), /'1\.2\.3\.4\.5' is not an IPv4 address/],
    ['above 255', () => parseIpv4('130.743.23.6'), /'130\.743\.23\.6' is not an IPv4 address \(four numbers of 0 to 255/],
    ['a leading zero', () => parseIpv4('1.2.3.04'), /'1\.2\.3\.04' is not an IPv4 address/],
    ['a blank', () => parseIpv4(' 1.2.3.4'), /' 1\.2\.3\.4' is not an IPv4 address/],
    ['nothing', () => parseIpv4(''), /'' is not an IPv4 address/],
    ['a name', () => parseIpv4('localhost'), /'localhost' is not/],
    ['port 0', () => parsePort(0), /^'0' is not a port \(1 to 65535\)/],
    ['port 65536', () => parsePort('65536'), /'65536' is not a port/],
    ['half a port', () => parsePort(1.5), /'1\.5' is not a port/],
    ['a port with a sign', () => parsePort('-1'), /'-1' is not a port/],
    ['no port at all', () => parsePort(''), /'' is not a port/],
    ['an endpoint without a port', () => parseEndpoint('4.17.168.2'), /'4\.17\.168\.2' is not ADDRESS:PORT \(such as 4\.17\.168\.2:5000\)/],
    ['an endpoint with a wrong address', () => parseEndpoint('4.17.168:5000'), /'4\.17\.168' is not an IPv4 address/],
    ['an endpoint with a wrong port', () => parseEndpoint('4.17.168.2:x'), /'x' is not a port/],
    ['a prefix without a length', () => parsePrefix('192.168.1.1'), /'192\.168\.1\.1' is not ADDRESS\/LENGTH \(such as/],
    ['a prefix of 33', () => parsePrefix('192.168.1.1/33'), /'192\.168\.1\.1\/33' is not ADDRESS\/LENGTH/],
    ['two lengths', () => parsePrefix('192.168.1.1/24/8'), /is not ADDRESS\/LENGTH/],
    ['five bytes', () => parseMac('02:00:00:00:00'), /'02:00:00:00:00' is not a MAC address \(such as 02:00:00:00:00:01\)/],
    ['no hexadecimal', () => parseMac('02:00:00:00:00:0g'), /is not a MAC address/],
  ]
  for (const [name, parse, message] of refused) {
    t.throws(parse, message, name)
    t.ok(thrownBy(parse) instanceof AddressError, `${name}: an AddressError`)
  }
})

t.test('prefixes', async t => {
  for (const [length, mask] of [[0, '0.0.0.0'], [1, '128.0.0.0'], [24, '255.255.255.0'], [31, '255.255.255.254'], [32, '255.255.255.255']] as const) {
    t.equal(formatIpv4(prefixMask(length) as ReturnType<typeof parseIpv4>), mask)
  }
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['192.168.1.255', '192.168.1.1/24', true], ['192.168.2.0', '192.168.1.1/24', false], ['8.8.8.8', '192.168.1.1/0', true],
    ['10.0.0.1', '10.0.0.0/31', true], ['10.0.0.2', '10.0.0.0/31', false], ['200.0.0.1', '200.0.0.1/32', true], ['200.0.0.0', '200.0.0.1/32', false],
  ]
  for (const [address, prefix, inside] of cases) t.equal(isInPrefix(parseIpv4(address), parsePrefix(prefix)), inside, `${address} in ${prefix}`)
})

t.test('addresses that a host can have', async t => {
  for (const text of ['1.0.0.0', '126.255.255.255', '128.0.0.1', '192.168.1.3', '223.255.255.255']) t.ok(isHostAddress(parseIpv4(text)), text)
  for (const text of ['0.0.0.0', '0.255.0.1', '127.0.0.1', '224.0.0.1', '239.1.2.3', '240.0.0.1', '255.255.255.255']) t.notOk(isHostAddress(parseIpv4(text)), text)
})
