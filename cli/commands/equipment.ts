// naptlab equipment: which equipment may register with a server, each with its key.
import { addEquipment, listEquipment, newKey, readKeyFile, removeEquipment } from '../../endpoints/index.js'
import { parseEquipmentId } from '../options.js'
import type { CommandModule } from 'yargs'

interface FileArguments { readonly file: string }
interface EquipmentArguments extends FileArguments { readonly id: string }
interface AddArguments extends EquipmentArguments { readonly write: string | undefined, readonly take: string | undefined }

const addCommand: CommandModule<object, AddArguments> = {
  command: 'add <file> <id>',
  describe: 'Let an equipment register; its key is made and printed once, unless --write or --take say otherwise',
  builder: yargs => yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'The equipment file; made if need be, with mode 600' })
    .positional('id', { type: 'string', demandOption: true, coerce: parseEquipmentId, describe: 'Equipment ID' })
    .option('write', { type: 'string', describe: 'New file for the key, with mode 600, to take to the acceptor; nothing is printed' })
    .option('take', { type: 'string', describe: 'File with a key that the acceptor has already; nothing is printed' })
    .conflicts('write', 'take')
    .example('$0 equipment add equipment 2133 --write 2133.key', 'then: server --equipment equipment, accept --equipment-key 2133.key')
    .example('$0 equipment add equipment 2133 --take 2133.key', 'at another server, the same key'),
  handler: async ({ file, id, write, take }) => {
    const key = take === undefined ? newKey() : readKeyFile(take)
    await addEquipment(file, id, key, write)
    if (write === undefined && take === undefined) console.log(key)
  },
}

const listCommand: CommandModule<object, FileArguments & { readonly json: boolean }> = {
  command: 'list <file>',
  describe: 'List the equipment, without the keys',
  builder: yargs => yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'The equipment file' })
    .option('json', { type: 'boolean', default: false, describe: 'As JSON' }),
  handler: async ({ file, json }) => {
    const all = await listEquipment(file)
    console.log(json ? JSON.stringify(all) : all.join('\n'))
  },
}

const removeCommand: CommandModule<object, EquipmentArguments> = {
  command: 'remove <file> <id>',
  describe: 'Let an equipment register no more; a running server gives it nothing more within a second',
  builder: yargs => yargs
    .positional('file', { type: 'string', demandOption: true, describe: 'The equipment file' })
    .positional('id', { type: 'string', demandOption: true, coerce: parseEquipmentId, describe: 'Equipment ID' }),
  handler: async ({ file, id }) => {
    await removeEquipment(file, id)
  },
}

export const equipmentCommand: CommandModule = {
  command: 'equipment',
  describe: 'Which equipment may register: keys for `server` and `accept`',
  builder: yargs => yargs.command(addCommand).command(listCommand).command(removeCommand).demandCommand(1, 'Which: add, list or remove?')
    .example('$0 equipment add keys 2133 --write 2133.key', 'then: server --equipment keys, accept --equipment-key 2133.key')
    .example('$0 equipment list keys', 'which equipment may register'),
  handler: () => undefined,
}
