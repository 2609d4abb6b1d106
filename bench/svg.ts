// What the bench's pictures have in common: SVG 1.1, readable on a light and on a dark page.

/** Rules of its own, for either kind of page. */
export interface Style { readonly light: string, readonly dark: string }

const COMMON: Style = {
  light: '.ground { fill: #ffffff } .title { font-size: 17px; font-weight: 600; fill: #1c2430 } .name { font-weight: 600; fill: #1c2430 }\n    .small { font-size: 12px; fill: #4b5566 } .figure { fill: #1c2430 }',
  dark: '.ground { fill: #161b22 } .title, .name, .figure { fill: #e6edf3 } .small { fill: #a3adba }',
}

export function svgFile(title: string, width: number, height: number, style: Style, elements: readonly string[]): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="14">`,
    `  <title>${escape(title)}</title>`,
    '  <style>',
    `    ${COMMON.light}`, `    ${style.light}`,
    '    @media (prefers-color-scheme: dark) {',
    `      ${COMMON.dark}`, `      ${style.dark}`,
    '    }',
    '  </style>',
    `  <rect class="ground" width="${width}" height="${height}"/>`,
    ...elements,
    '</svg>',
  ].join('\n')}\n`
}

export const text = (x: number, y: number, style: string, content: string, anchor?: 'end'): string =>
  `  <text class="${style}" x="${x}" y="${y}"${anchor === undefined ? '' : ` text-anchor="${anchor}"`}>${escape(content)}</text>`

const escape = (content: string): string => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
