import Type, { type Static } from 'typebox'

/**
 * One row with what the model answered when it was made. `row` is an object by feature name;
 * a missing value is null or absent.
 */
export const GoldenRowSchema = Type.Object({
  row: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean(), Type.Null()])),
  /** Classification: the index of the class. Regression: the value. */
  prediction: Type.Number(),
  /** Classification, where the model gives them: one number per label. */
  probabilities: Type.Optional(Type.Array(Type.Number())),
}, { additionalProperties: false })

/** golden.json: rows that must reproduce within the tolerances before a version serves. */
export const GoldenSchema = Type.Object({
  schemaVersion: Type.Literal(1),
  rows: Type.Array(GoldenRowSchema, { minItems: 1 }),
}, { additionalProperties: false })

export type GoldenRow = Static<typeof GoldenRowSchema>
export type Golden = Static<typeof GoldenSchema>

export const goldenTolerance = { relative: 1e-4, absolute: 1e-5 }
