// tshark with the Wireshark dissector that is being tested, for the tests of it.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { dissectorFor, encodePcap } from '../../captures/index.js'
import { ANY_FIELD, type FieldKey } from '../../endpoints/message/index.js'

export const KEYS = Object.keys(ANY_FIELD) as FieldKey[]
const TEXT = dissectorFor({ udp: [1200], tcp: [1201, 1300, 1210, 1400], direct: [5000, 1600] }, '1.2.3')
export const nameOf = (key: FieldKey): string => `naptlab.${key.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)}`
const lua = join(t.testdir(), 'naptlab.lua')
writeFileSync(lua, TEXT)

/** A frame as tshark has it: values of a field that occurs more than once stand behind each other. */
export type Row = Readonly<Record<string, readonly string[]>>
const PIECES = ['type', 'id', 'token', 'own_id', 'limit', 'number', 'position', 'largest', 'range', 'length'].map(name => `naptlab.datagram.${name}`)
const COLUMNS = ['frame.number', '_ws.col.Protocol', '_ws.col.Info', '_ws.expert.message', 'naptlab.type', 'naptlab.number', 'naptlab.unknown', ...KEYS.map(nameOf), ...PIECES]
/** Between values; none of the tests' texts holds it. */
export const BETWEEN = '^'

export function tshark(file: string, ...options: string[]): Row[] {
  const { stdout, stderr } = spawnSync('tshark', ['-X', `lua_script:${lua}`, '-r', file, ...options, '-T', 'fields', '-E', `aggregator=${BETWEEN}`, ...COLUMNS.flatMap(column => ['-e', column])],
    { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (stderr.includes('Lua') || stdout.includes('Lua Error')) throw new Error(`${stderr}\n${/Lua Error[^\n]*/.exec(stdout)?.[0] ?? ''}`)
  return stdout.split('\n').slice(0, -1).map(line => Object.fromEntries(line.split('\t').map((text, at) => [COLUMNS[at], text === '' ? [] : text.split(BETWEEN)])))
}

export interface Packet { readonly time: bigint, readonly bytes: Uint8Array, readonly originalLength: number }
export const packet = (bytes: Uint8Array, at: number): Packet => ({ time: BigInt(at + 1) * 1_000_000n, bytes, originalLength: bytes.length })

export function written(t: Test, packets: readonly Packet[]): string {
  const file = join(t.testdir(), 'a.pcap')
  writeFileSync(file, encodePcap(packets))
  return file
}

export const masked = (length: number): string => `•••• (${length} bytes)`
