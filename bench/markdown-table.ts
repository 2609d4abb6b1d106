// A table that reads as well on a terminal as in a Markdown file: columns are as wide as their widest cell.

/** @returns its lines */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = headings.map((heading, column) => Math.max(3, heading.length, ...rows.map(row => row[column].length)))
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  return [line(headings), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)]
}
