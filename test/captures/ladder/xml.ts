// A strict reader of the XML that SVG is written in here: anything unusual is an error.

export interface Element { readonly name: string, readonly attributes: Readonly<Record<string, string | undefined>>, readonly text: string }

const ENTITIES: Readonly<Record<string, string | undefined>> = { amp: '&', lt: '<', gt: '>', quot: '"' }

function plain(text: string): string {
  if (/[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)) throw new Error(`XML forbids a character of ${JSON.stringify(text)}`)
  return text.replaceAll(/&([^;&]*);?/g, (_, name: string) => {
    const character = ENTITIES[name]
    if (character === undefined) throw new Error(`&${name} is no entity`)
    return character
  })
}

/** The elements in the order of their beginnings, each with its text. @throws for what is not well-formed */
export function elementsOf(xml: string): Element[] {
  const elements: { name: string, attributes: Record<string, string>, text: string }[] = [], open: typeof elements = []
  let at = 0
  for (const match of xml.matchAll(/<(?<end>\/?)(?<name>[a-z][\w:-]*)(?<rest>(?:\s+[\w:-]+="[^"<]*")*)\s*(?<empty>\/?)>|(?<text>[^<]+)/gi)) {
    if (match.index !== at) throw new Error(`not well-formed at ${xml.slice(at, at + 60)}`)
    at += match[0].length
    const { end = '', name = '', rest = '', empty = '', text = '' } = match.groups ?? {}
    if (name === '') for (const element of open) element.text += plain(text)
    else if (end !== '') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> ends nothing`)
    } else {
      const attributes: Record<string, string> = {}
      for (const [, key, value] of rest.matchAll(/([\w:-]+)="([^"]*)"/g)) {
        if (key in attributes) throw new Error(`${key} is there twice`)
        attributes[key] = plain(value)
      }
      const element = { name, attributes, text: '' }
      elements.push(element)
      if (empty === '') open.push(element)
    }
  }
  if (at !== xml.length || open.length > 0) throw new Error(`not well-formed: ${at} of ${xml.length}, ${open.length} open`)
  return elements
}
