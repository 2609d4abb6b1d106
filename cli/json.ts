// Results as JSON for machines.

/** Indented; maps, which JSON has none of, become objects. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_name, part: unknown) => part instanceof Map ? Object.fromEntries(part) as unknown : part, 2)
