// As `naptlab exec` does: runs a program on a host of the bench with the given keeper, and ends as it ends.
import { attach } from '../../lab/index.js'

const [, , keeper, host, command, ...args] = process.argv
process.exitCode = await attach(keeper).exec(host, command, args)
