import { type Html, html } from './html.ts'
import { short, ticks } from './numbers.ts'

type Point = readonly [x: number, y: number]

export interface Axis {
  readonly label: string
  readonly from: number
  readonly to: number
  readonly ticks: readonly number[]
}

export interface Line {
  /** Which of the ten colours. */
  readonly colour: number
  readonly points: readonly Point[]
  /** Dots on it, or dots alone. */
  readonly marks?: 'with line' | 'alone'
}

export interface Plot {
  /** What a person who does not see it is told. */
  readonly label: string
  readonly x: Axis
  readonly y: Axis
  readonly lines?: readonly Line[]
  readonly bars?: readonly Bar[]
  /** From corner to corner: what chance, or a perfect model, would give. */
  readonly diagonal?: boolean
}

export interface Bar { readonly from: number, readonly to: number, readonly height: number, readonly title: string }

const width = 360
const height = 270
const area = { left: 52, right: 348, top: 10, bottom: 226 } as const

/** An axis that has the values in it, ending at round numbers. */
export function axis (label: string, low: number, high: number): Axis {
  const marks = ticks(low, high)
  return { label, ticks: marks, from: Math.min(low, marks[0]!), to: Math.max(high, marks.at(-1)!) }
}

export const unitTicks: readonly number[] = [0, 0.2, 0.4, 0.6, 0.8, 1]

/** An axis for shares. */
export function unitAxis (label: string): Axis {
  return { label, from: 0, to: 1, ticks: unitTicks }
}

export function plot ({ label, x, y, lines = [], bars = [], diagonal = false }: Plot): Html {
  const atX = scale(x, area.left, area.right)
  const atY = scale(y, area.bottom, area.top)
  return html`<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${x.ticks.map(tick => html`<path class="grid" d="M${atX(tick)} ${area.top}V${area.bottom}"/><text x="${atX(tick)}" y="${area.bottom + 16}" text-anchor="middle">${short(tick)}</text>`)}
${y.ticks.map(tick => html`<path class="grid" d="M${area.left} ${atY(tick)}H${area.right}"/><text x="${area.left - 6}" y="${atY(tick) + 4}" text-anchor="end">${short(tick)}</text>`)}
${diagonal ? diagonalOf(x, y, atX, atY) : undefined}
${bars.map(bar => barOf(bar, atX, atY))}
${lines.map(line => lineOf(line, atX, atY))}
<text class="axis" x="${(area.left + area.right) / 2}" y="${height - 8}" text-anchor="middle">${x.label}</text>
<text class="axis" transform="translate(12 ${(area.top + area.bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>
</svg>`
}

type Scale = (value: number) => number

function scale ({ from, to }: Axis, start: number, end: number): Scale {
  const span = to - from
  return value => Math.round((span === 0 ? (start + end) / 2 : start + (value - from) / span * (end - start)) * 100) / 100
}

function diagonalOf (x: Axis, y: Axis, atX: Scale, atY: Scale): Html {
  const [from, to] = [Math.max(x.from, y.from), Math.min(x.to, y.to)]
  return html`<path class="diagonal" d="M${atX(from)} ${atY(from)}L${atX(to)} ${atY(to)}"/>`
}

function barOf ({ from, to, height, title }: Bar, atX: Scale, atY: Scale): Html {
  const top = atY(height)
  return html`<rect class="bar" x="${atX(from)}" y="${top}" width="${Math.max(1, atX(to) - atX(from) - 0.5)}" height="${Math.max(0, area.bottom - top)}"><title>${title}</title></rect>`
}

function lineOf ({ colour, points, marks }: Line, atX: Scale, atY: Scale): Html {
  const dots = points.map(([x, y]) => html`<circle class="dot c${colour % 10}" cx="${atX(x)}" cy="${atY(y)}" r="${marks === 'alone' ? 2.2 : 3.2}"/>`)
  const path = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${atX(x)} ${atY(y)}`).join('')
  return html`${marks === 'alone' ? undefined : html`<path class="line c${colour % 10}" d="${path}"/>`}${marks === undefined ? undefined : dots}`
}
