import Type, { type Static } from 'typebox'
import { type Feature, FeatureSchema } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import { readJson } from './read-json.ts'

/** A feature as a person gives it: the model may know its type. */
const GivenFeatureSchema = Type.Union([
  Type.String({ minLength: 1, maxLength: 256 }),
  Type.Object({ ...FeatureSchema.properties, type: Type.Optional(FeatureSchema.properties.type) }, { additionalProperties: false }),
])
const FeatureListSchema = Type.Array(GivenFeatureSchema, { minItems: 1 })
const FeaturesFileSchema = Type.Union([FeatureListSchema, Type.Object({ features: FeatureListSchema }, { additionalProperties: true })])

export type GivenFeature = Omit<Feature, 'type'> & Partial<Pick<Feature, 'type'>>

/** What a model says of one of its columns. */
export interface Column extends Feature {
  /** Types that a caller's value may have besides `type`. */
  readonly also: readonly Feature['type'][]
}

/** How a model knows its columns: by name, or by where they stand, whatever they are called. */
export interface Columns {
  readonly columns: readonly Column[]
  readonly byPlace: boolean
}

/**
 * Reads `--features`: a list of names, of features as in the manifest, or an object with such a list.
 *
 * @throws FatalError that names each fault's place
 */
export function parseFeatures (bytes: Uint8Array): GivenFeature[] {
  const file: Static<typeof FeaturesFileSchema> = readJson(FeaturesFileSchema, bytes)
  return (Array.isArray(file) ? file : file.features).map(feature => typeof feature === 'string' ? { name: feature } : feature)
}

/**
 * The model's columns, with what a person says of them.
 *
 * @throws FatalError when both do not fit together
 */
export function fitFeatures ({ columns, byPlace }: Columns, given: readonly GivenFeature[] | undefined): Feature[] {
  if (given === undefined) return columns.map(column => merge(column, { name: column.name }))
  if (given.length !== columns.length) {
    throw new FatalError(`it has ${given.length} features, and the model takes ${columns.length}: ${shortList(columns.map(({ name }) => name))}`)
  }
  const byName = new Map(given.map(feature => [feature.name, feature]))
  const unknown = columns.filter(({ name }) => !byName.has(name))
  if (unknown.length === 0) return columns.map(column => merge(column, byName.get(column.name)!))
  if (byPlace) return columns.map((column, i) => merge(column, given[i]!))
  throw new FatalError(`it has no ${shortList(unknown.map(({ name }) => `"${name}"`))}: the model takes its columns by name, ${shortList(columns.map(({ name }) => name))}`)
}

function merge ({ also, ...column }: Column, given: GivenFeature): Feature {
  const { type = column.type } = given
  if (type !== column.type && !also.includes(type)) {
    throw new FatalError(`the feature "${given.name}" is a ${type}, and the model takes a ${[column.type, ...also].join(' or ')} there`)
  }
  return { ...column, ...given, type }
}

export function shortList (names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 10).join(', ')} … ${names.at(-1)}` : names.join(', ')
}
