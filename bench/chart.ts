import { type Contender, contenders } from './contenders.ts'
import type { Figures } from './part.ts'

const colours: Readonly<Record<Contender, string>> = {
  http: '#64748b', fastify: '#94a3b8', modelport: '#2563eb', quiet: '#60a5fa', two: '#1e3a8a', fastapi: '#d97706', floor: '#000000',
}
const ink = '#1f2937'
const faint = '#6b7280'
const grid = '#e5e7eb'
const size = { width: 920, height: 330 }

/** An SVG with a background of its own, so that it can be read on a light page and on a dark one. */
export function chart ({ cpuUs, connections, perSecond }: Figures): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="CPU time per request, and requests a second">`,
    `<rect width="${size.width}" height="${size.height}" rx="8" fill="#ffffff" stroke="${grid}"/>`,
    ...bars(Object.entries(cpuUs) as [Contender, number][]),
    ...lines(connections, Object.entries(perSecond) as [Contender, readonly number[]][]),
    '</svg>',
  ].join('\n') + '\n'
}

/** A bar more than four times as long as the others' longest is cut, and says so. */
function bars (values: readonly [Contender, number][]): string[] {
  const area = { left: 215, right: 405, top: 70, step: 38 }
  const longest = Math.max(...values.filter(([name]) => name !== 'fastapi').map(([, value]) => value))
  const scale = (area.right - area.left) / (1.25 * longest)
  const drawn = values.flatMap(([name, value], i) => {
    const y = area.top + i * area.step
    const isCut = value > 4 * longest
    const width = isCut ? area.right - area.left : value * scale
    const end = area.left + width
    const cut = `<path d="M${end - 26} ${y + 26}l8 -28h6l-8 28z" fill="#ffffff"/>`
    const label = isCut ? text(end - 34, y + 17, `${Math.round(value).toLocaleString('en')} µs`, { fill: '#ffffff', anchor: 'end' }) : text(end + 6, y + 17, `${value.toFixed(1)} µs`)
    return [
      text(area.left - 10, y + 17, contenders[name], { anchor: 'end' }),
      `<rect x="${area.left}" y="${y}" width="${width.toFixed(1)}" height="24" rx="3" fill="${colours[name]}"/>`,
      ...(isCut ? [cut] : []),
      label,
    ]
  })
  return [...heading(24, 'CPU time per request', '1 row, 64 connections; less is better'), ...drawn]
}

function lines (connections: readonly number[], all: readonly [Contender, readonly number[]][]): string[] {
  // Without its log modelport is too close to itself to be told apart here.
  const series = all.filter(([name]) => name !== 'quiet')
  const area = { left: 515, right: 750, top: 70, bottom: 285 }
  const step = niceStep(Math.max(...series.flatMap(([, values]) => values)))
  const top = step * Math.ceil(Math.max(...series.flatMap(([, values]) => values)) / step)
  const x = (i: number) => area.left + i * (area.right - area.left) / Math.max(1, connections.length - 1)
  const y = (value: number) => area.bottom - value / top * (area.bottom - area.top)
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step)
  const places = spread(series.map(([, values]) => y(values.at(-1) ?? 0)), 17)
  return [
    ...heading(470, 'Requests a second, by connections', '1 row; more is better'),
    ...ticks.flatMap(tick => [
      `<path d="M${area.left} ${y(tick).toFixed(1)}H${area.right}" stroke="${grid}"/>`,
      text(area.left - 8, y(tick) + 4, tick === 0 ? '0' : `${tick / 1000}k`, { fill: faint, anchor: 'end' }),
    ]),
    ...connections.map((count, i) => text(x(i), area.bottom + 20, String(count), { fill: faint, anchor: 'middle' })),
    ...series.flatMap(([name, values], place) => [
      `<polyline points="${values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ')}" fill="none" stroke="${colours[name]}" stroke-width="2.5"/>`,
      ...values.map((value, i) => `<circle cx="${x(i).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3.5" fill="${colours[name]}"/>`),
      text(area.right + 12, (places[place] ?? 0) + 4, contenders[name].replace('modelport, ', ''), { fill: colours[name] }),
    ]),
  ]
}

function heading (x: number, title: string, note: string): string[] {
  return [`<text x="${x}" y="30" fill="${ink}" font-size="15" font-weight="600">${title}</text>`, text(x, 49, note, { fill: faint })]
}

function text (x: number, y: number, content: string, { fill = ink, anchor = 'start' } = {}): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${fill}" text-anchor="${anchor}">${content}</text>`
}

/** Moves labels apart that would lie over each other, none farther than it must. */
function spread (places: readonly number[], apart: number): number[] {
  const order = [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0))
  const found = [...places]
  for (let pass = 0; pass < 50; pass++) {
    for (let i = 1; i < order.length; i++) {
      const [above, below] = [order[i - 1] ?? 0, order[i] ?? 0]
      const overlap = apart - ((found[below] ?? 0) - (found[above] ?? 0))
      if (overlap <= 0) continue
      found[above] = (found[above] ?? 0) - overlap / 2
      found[below] = (found[below] ?? 0) + overlap / 2
    }
  }
  return found
}

/** Four to eight steps of 1, 2 or 5 times a power of ten. */
function niceStep (top: number): number {
  const power = 10 ** Math.floor(Math.log10(top / 4))
  return power * ([5, 2, 1].find(factor => top / (factor * power) >= 4) ?? 1)
}
