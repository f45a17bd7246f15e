import Type, { type Static } from 'typebox'

const counts = Type.Array(Type.Integer({ minimum: 0 }))

/**
 * How often each bin held a value. Numbers: `edges` are the ascending inner borders, `counts` has one
 * more member, and bin i holds edges[i-1] <= x < edges[i]. Categories: one count per category, `other`
 * for the rest.
 */
export const HistogramSchema = Type.Union([
  Type.Object({
    kind: Type.Literal('number'), edges: Type.Array(Type.Number()), counts, missing: Type.Integer({ minimum: 0 }),
  }, { additionalProperties: false }),
  Type.Object({
    kind: Type.Literal('category'),
    categories: Type.Array(Type.Union([Type.String(), Type.Boolean()])),
    counts,
    other: Type.Integer({ minimum: 0 }),
    missing: Type.Integer({ minimum: 0 }),
  }, { additionalProperties: false }),
])

/** baseline.json: the training data in histograms, per feature and for the prediction, to measure drift against. */
export const BaselineSchema = Type.Object({
  schemaVersion: Type.Literal(1),
  rows: Type.Integer({ minimum: 0 }),
  features: Type.Record(Type.String(), HistogramSchema),
  prediction: HistogramSchema,
}, { additionalProperties: false })

export type Histogram = Static<typeof HistogramSchema>
export type Baseline = Static<typeof BaselineSchema>
