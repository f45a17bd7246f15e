import Type, { type Static } from 'typebox'

const strict = { additionalProperties: false }
const finite = Type.Number()
const categories = Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), { minItems: 1, uniqueItems: true })

/**
 * One step of a column. Numbers are float64 from the value to the last step; a missing number is NaN on its way.
 * `ordinal` turns a category into its index, which numeric steps may follow; `oneHot` ends the column.
 */
export const StepSchema = Type.Union([
  Type.Object({ impute: Type.Union([finite, Type.String(), Type.Boolean()]) }, strict),
  Type.Object({ clip: Type.Tuple([finite, finite]) }, strict),
  Type.Object({ log1p: Type.Literal(true) }, strict),
  Type.Object({ standardize: Type.Object({ mean: finite, scale: finite }, strict) }, strict),
  Type.Object({ minmax: Type.Object({ min: finite, max: finite }, strict) }, strict),
  Type.Object({ bucketize: Type.Array(finite, { minItems: 1 }) }, strict),
  Type.Object({ oneHot: Type.Object({ categories, unknown: Type.Union([Type.Literal('ignore'), Type.Literal('error')]) }, strict) }, strict),
  Type.Object({ ordinal: Type.Object({ categories, unknown: Type.Union([finite, Type.Literal('missing'), Type.Literal('error')]) }, strict) }, strict),
])

export const ColumnSchema = Type.Object({
  feature: Type.String({ minLength: 1 }),
  steps: Type.Array(StepSchema),
}, strict)

/** preprocessor.json: how the features of a row become one row of the model's input, left to right. */
export const PreprocessorSchema = Type.Object({
  schemaVersion: Type.Literal(1),
  output: Type.Object({
    name: Type.String({ minLength: 1 }),
    type: Type.Union([Type.Literal('float32'), Type.Literal('float64')]),
  }, strict),
  columns: Type.Array(ColumnSchema, { minItems: 1 }),
}, strict)

export type Step = Static<typeof StepSchema>
export type Column = Static<typeof ColumnSchema>
export type Preprocessor = Static<typeof PreprocessorSchema>
