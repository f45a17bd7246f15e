import type { Feature } from '../artifact/manifest.ts'

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const truths: ReadonlyMap<string, boolean> = new Map([['true', true], ['false', false]])

/** What a cell of CSV is to `/predict`: a text that is no such value stays text, so that the row's check names it. */
export function readCell (cell: string, { type }: Feature): string | number | boolean | null {
  if (type === 'string') return cell === '' ? null : cell
  const text = cell.trim()
  if (text === '') return null
  if (type === 'boolean') return truths.get(text.toLowerCase()) ?? cell
  if (text.toLowerCase() === 'nan') return null
  return decimal.test(text) ? Number(text) : cell
}
