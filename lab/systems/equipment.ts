// The server's equipment list (Fig. 9) as its events tell it.
import type { Apparatus } from '../programs/apparatus.js'

export interface EquipmentEntry { readonly equipmentId: string, readonly address: string, readonly port: number }

/** The last registration of each equipment, in the order of the first ones. */
export function equipmentOf(server: Apparatus | null): EquipmentEntry[] {
  const list = new Map<string, EquipmentEntry>()
  for (const event of server?.events ?? []) {
    if (event.event === 'registered') list.set(event.equipmentId, { equipmentId: event.equipmentId, address: event.address, port: event.port })
  }
  return [...list.values()]
}
