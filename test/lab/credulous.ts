// An issuer that looks at no certificate, as a program: makes one request (217) at ADDRESS for equipment ID, and stays until the
// server has closed the connection.
import { once } from 'node:events'
import { connect } from 'node:tls'
import { encode } from '../../endpoints/message/index.js'

const [address, equipmentId, password] = process.argv.slice(2)
const socket = connect({ host: address, port: 1201, rejectUnauthorized: false, checkServerIdentity: () => undefined })
await once(socket, 'secureConnect')
socket.write(encode({ name: 'request', equipmentId, password, address, port: 5000, token: '66'.repeat(8) }))
socket.resume()
await once(socket, 'close').catch(() => undefined)
