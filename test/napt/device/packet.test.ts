// What a packet device says when it cannot be opened. That frames pass through it is tested on the bench, in namespaces.
import t from 'tap'
import { openDevice } from '../../../napt/device/open.js'
import { DeviceError } from '../../../napt/device/device.js'

async function refusal(interfaceName: string): Promise<DeviceError> {
  const error: unknown = await openDevice('packet', interfaceName).then(device => device.close(), (reason: unknown) => reason)
  if (error instanceof DeviceError) return error
  throw new Error(`a DeviceError was expected, not ${String(error)}`)
}

t.test('an interface that is not there, or may not be opened', async t => {
  const error = await refusal('no-such-if0')
  // Without CAP_NET_RAW the socket itself is refused, before the interface is looked at.
  if (/permi/i.test(error.message)) t.match(error.message, /Run as root, or on a bench/)
  else t.match(error.message, /no-such-if0.*There is no interface 'no-such-if0' in this network namespace; 'ip link' lists those that are\.$/)
})

t.test('a name that no interface can have', async t => {
  t.match((await refusal('x'.repeat(40))).message, /Run as root|There is no interface 'x{40}'/)
})
