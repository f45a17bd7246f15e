import { Refusal } from '../cli/program.ts'

interface Manifest {
  readonly features?: readonly { readonly name: string, readonly example?: unknown }[]
}

/**
 * CSV with a header: the examples of a version's own manifest, over and over.
 *
 * @throws Refusal where it takes tensors, or a feature has no example
 */
export function exampleRows ({ features = [] }: Manifest, rows: number): string {
  if (features.length === 0) throw new Refusal('The version has no features: it takes tensors, which no row can hold.')
  const without = features.filter(({ example }) => example === undefined).map(({ name }) => name)
  if (without.length > 0) throw new Refusal(`The manifest has no example for ${without.join(', ')}: there is nothing to send.`)
  const line = (cells: unknown[]) => cells.map(cellOf).join(',') + '\n'
  return line(features.map(({ name }) => name)) + line(features.map(({ example }) => example)).repeat(rows)
}

function cellOf (value: unknown): string {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
