import type { Feature } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import type { Wanted } from './input-row.ts'

/** Where in a record stands what. */
export interface CsvColumns {
  readonly header: readonly string[]
  readonly features: readonly { readonly feature: Feature, readonly at: number }[]
  readonly kept: readonly { readonly at: number, readonly feature: Feature | undefined }[]
}

/**
 * Holds a file's header against what is wanted of it.
 *
 * @param notice  is told what a person may not have meant
 * @throws FatalError when the header lacks what is wanted
 */
export function checkHeader (header: readonly string[], file: string, { features, keep }: Wanted, notice: (text: string) => void): void {
  const missing = [...features.filter(({ required }) => required !== false).map(({ name }) => name), ...keep].filter(name => !header.includes(name))
  if (missing.length > 0) throw new FatalError(`${file}: the header has no column ${listed(missing)}; its columns are ${listed(header)}`)
  const known = new Set(features.map(({ name }) => name))
  const twice = header.find((name, i) => (known.has(name) || keep.includes(name)) && header.indexOf(name) !== i)
  if (twice !== undefined) throw new FatalError(`${file}: the column ${JSON.stringify(twice)} stands twice in the header`)
  for (const name of header) if (!known.has(name) && !keep.includes(name)) notice(`the column ${JSON.stringify(name)} is no feature of the model and is left out; --keep takes it over`)
  for (const { name } of features) if (!header.includes(name)) notice(`${file} has no column ${JSON.stringify(name)}: the feature is optional, and missing in every row`)
}

/** @param header  one that was checked */
export function findColumns (header: readonly string[], { features, keep, typed }: Wanted): CsvColumns {
  const known = new Map(features.map(feature => [feature.name, feature]))
  return {
    header,
    features: features.flatMap(feature => header.includes(feature.name) ? [{ feature, at: header.indexOf(feature.name) }] : []),
    kept: keep.map(name => ({ at: header.indexOf(name), feature: typed ? known.get(name) : undefined })),
  }
}

/** More names than this help nobody. */
const maxListed = 20

function listed (names: readonly string[]): string {
  const shown = names.slice(0, maxListed).map(name => JSON.stringify(name)).join(', ')
  return names.length > maxListed ? `${shown} and ${names.length - maxListed} more` : shown
}
