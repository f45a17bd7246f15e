import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = join('models', 'iris', readdirSync(join('models', 'iris')).sort().at(-1) ?? '')

export const irisModelFile = join(folder, 'model.onnx')

/** Real flowers: the version's own golden rows. */
const flowers = (JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as { rows: { row: Record<string, number> }[] }).rows.map(({ row }) => row)

export const oneRow = JSON.stringify(flowers[0])

/** Each row an object with its fields by name. */
export function namedRows (count: number): string {
  return JSON.stringify({ instances: Array.from({ length: count }, (_, i) => flowers[i % flowers.length]) })
}

/** Each row its numbers alone. */
export function listedRows (count: number): string {
  return JSON.stringify({ instances: Array.from({ length: count }, (_, i) => ({ features: Object.values(flowers[i % flowers.length] ?? {}) })) })
}
