import type { Feature } from '../artifact/manifest.ts'
import { child, count, fail, isEmpty, list, type Place, shorten, texts } from './xgboost-json.ts'

/** More columns than a caller could send one by one. */
const maxFeatures = 100_000

const categoryNote = 'The number of a category, from 0, as in training.'

/** XGBoost's names of types; a column that is none of them is a number. */
const types: Readonly<Record<string, Pick<Feature, 'type' | 'minimum' | 'description'>>> = {
  float: { type: 'number' },
  q: { type: 'number' },
  int: { type: 'integer' },
  // An indicator: 0 or 1.
  i: { type: 'integer' },
  c: { type: 'integer', minimum: 0, description: categoryNote },
}

/** Names that a notice tells, of however many. */
const maxNames = 5

/** What a person should know of features that are categories. Files from XGBoost 3.1 on hold their names, which are not read. */
export function categoryNotices (features: readonly Feature[]): string[] {
  const names = features.filter(({ description }) => description === categoryNote).map(({ name }) => name)
  if (names.length === 0) return []
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : ''
  return [`takes categories by the numbers that they had in training, 0 for the first: ${names.slice(0, maxNames).join(', ')}${more}`]
}

/** The columns by the names and types that the training data had, if it had any; a missing value is native to trees. */
export function readFeatures (learner: Place): Feature[] {
  const sizePlace = child(learner, 'learner_model_param', 'num_feature')
  const size = count(sizePlace, 1)
  if (size > maxFeatures) fail(sizePlace, `${size} features are more than can be served, ${maxFeatures}`)
  const names = optionalTexts(child(learner, 'feature_names'), size)
  const given = optionalTexts(child(learner, 'feature_types'), size)
  return Array.from({ length: size }, (_, i) => ({ name: names?.[i] ?? `f${i}`, ...typeOf(learner, given?.[i], i), required: false }))
}

function typeOf (learner: Place, type: string | undefined, i: number): Pick<Feature, 'type' | 'minimum' | 'description'> {
  if (type === undefined) return { type: 'number' }
  if (Object.hasOwn(types, type)) return types[type]!
  return fail(child(learner, 'feature_types', i), `"${shorten(type)}" is no type of a feature: ${Object.keys(types).join(', ')} are`)
}

/** Empty where the data had no names. */
function optionalTexts (place: Place, length: number): string[] | undefined {
  return isEmpty(place) || list(place).length === 0 ? undefined : texts(place, length)
}
