import type { Arrow, Card, Layout } from './layout.ts'

/** On a light page and on a dark one: the picture asks the reader's own setting. */
const style = `
  .page { fill: #ffffff } .card { fill: #f8fafc; stroke: #94a3b8 } .network { fill: #eff6ff; stroke: #60a5fa; stroke-dasharray: 6 4 }
  .person { fill: #fefce8; stroke: #ca8a04 } .title { fill: #0f172a; font-weight: 600; font-size: 16px } .line { fill: #334155 } .label { fill: #475569; font-size: 13px }
  .halo { stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; paint-order: stroke } .arrow { stroke: #2563eb; stroke-width: 1.6 } .head { fill: #2563eb }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .card { fill: #161b22; stroke: #6e7681 } .network { fill: #0c1d33; stroke: #388bfd } .person { fill: #2b230c; stroke: #bb8009 }
    .title { fill: #f0f6fc } .line { fill: #c9d1d9 } .label { fill: #b1bac4 } .halo { stroke: #0d1117 } .arrow { stroke: #58a6ff } .head { fill: #58a6ff }
  }
`.trim()

export function draw ({ width, height, cards, arrows }: Layout): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="14" role="img" aria-label="The stacks of modelport on AWS, what is in them and what flows between them">`,
    `<style>\n  ${style}\n</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
    `<rect class="page" width="${width}" height="${height}" rx="10"/>`,
    ...cards.flatMap(drawCard),
    ...arrows.map(({ from, to }) => `<path class="arrow" d="M${from[0]} ${from[1]}L${to[0]} ${to[1]}" marker-end="url(#head)"/>`),
    ...arrows.map(drawLabel),
    '</svg>',
  ].join('\n') + '\n'
}

function drawCard (card: Card): string[] {
  const { x, y, width, height, title, lines, kind, columns } = card
  const column = (width - 28) / columns
  return [
    `<rect class="${kind === 'stack' ? 'card' : kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    `<text class="title" x="${x + 16}" y="${y + 28}">${escape(title)}</text>`,
    ...lines.map((line, index) => `<text class="line" x="${round(x + 16 + index % columns * column)}" y="${y + 52 + Math.floor(index / columns) * 20}">${escape(line)}</text>`),
  ]
}

function drawLabel ({ from, to, label, labelSide, labelAt }: Arrow): string {
  const [x, y] = [from[0] + labelAt * (to[0] - from[0]), from[1] + labelAt * (to[1] - from[1])]
  const place = {
    right: `x="${round(x + 9)}" y="${round(y + 4)}"`,
    left: `x="${round(x - 9)}" y="${round(y + 4)}" text-anchor="end"`,
    above: `x="${round(x)}" y="${round(y - 9)}" text-anchor="middle"`,
  }[labelSide]
  return `<text class="label halo" ${place}>${escape(label)}</text>`
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

function round (value: number): number {
  return Math.round(value * 10) / 10
}
