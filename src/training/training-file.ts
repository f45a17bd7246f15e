import Type, { type Static } from 'typebox'
import { parseJson } from '../artifact/json.ts'
import { FatalError } from '../errors.ts'

const strict = { additionalProperties: false }
const Text = Type.String({ minLength: 1 })
const Cell = Type.Union([Type.String(), Type.Number(), Type.Boolean()])

/** Where the rows come from. A path is relative to the training file. */
export const DataSchema = Type.Union([
  Type.Object({ file: Text }, strict),
  /** A file in an installed npm package. */
  Type.Object({ package: Text, file: Text }, strict),
  /** What a function exported by an npm package returns: rows as lists, whose columns get these names. */
  Type.Object({ package: Text, export: Text, columns: Type.Array(Text, { minItems: 2 }) }, strict),
])

/** What the data cannot say of a column, or says otherwise. */
export const ColumnHintSchema = Type.Object({
  /** What callers of the API call it. */
  name: Type.Optional(Text),
  type: Type.Optional(Type.Union([Type.Literal('number'), Type.Literal('integer'), Type.Literal('boolean'), Type.Literal('category')])),
  /** `year`: takes 1970 out of 1970-01-01. */
  parse: Type.Optional(Type.Literal('year')),
  unit: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  example: Type.Optional(Cell),
  /** Hard limits: what is outside is refused, in training and by the API. */
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  /** Values that stand for a missing one, besides the usual. */
  missing: Type.Optional(Type.Array(Cell)),
  /** `error` (unless told): the API refuses categories that were not seen here. `ignore`: they count as none of them. */
  unknown: Type.Optional(Type.Union([Type.Literal('error'), Type.Literal('ignore')])),
}, strict)

/** Not all are for both algorithms: see `learnerOf`. */
export const ParamsSchema = Type.Object({
  trees: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  maxDepth: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
  minSamplesLeaf: Type.Optional(Type.Integer({ minimum: 1 })),
  maxFeatures: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('sqrt'), Type.Number({ exclusiveMinimum: 0, maximum: 1 })])),
  bootstrap: Type.Optional(Type.Boolean()),
  learningRate: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  maxLeaves: Type.Optional(Type.Integer({ minimum: 2, maximum: 65_536 })),
  l2: Type.Optional(Type.Number({ minimum: 0 })),
  subsample: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  colsample: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  validation: Type.Optional(Type.Number({ minimum: 0, maximum: 0.5 })),
  patience: Type.Optional(Type.Integer({ minimum: 1 })),
  classWeight: Type.Optional(Type.Literal('balanced')),
}, strict)

/** What `modelport train` is told, in a file or by flags. */
export const TrainingPlanSchema = Type.Object({
  $schema: Type.Optional(Type.String()),
  name: Text,
  version: Type.Optional(Text),
  description: Type.Optional(Type.String()),
  data: DataSchema,
  target: Type.Object({
    column: Text,
    /** In the order of the classes; sorted unless told. */
    labels: Type.Optional(Type.Array(Type.String(), { minItems: 2, uniqueItems: true })),
  }, strict),
  /** Inferred from the target unless told. */
  task: Type.Optional(Type.Union([Type.Literal('classification'), Type.Literal('regression')])),
  /** Hints by the data's own column names. */
  columns: Type.Optional(Type.Record(Type.String(), ColumnHintSchema)),
  /** Columns to leave out. */
  drop: Type.Optional(Type.Array(Text)),
  /** `random-forest` unless told. */
  algorithm: Type.Optional(Type.Union([Type.Literal('random-forest'), Type.Literal('gradient-boosting')])),
  params: Type.Optional(ParamsSchema),
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 })),
  /** Share of the rows that is held back for the metrics. */
  test: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 0.5 })),
  /** Folds of the cross-validation; 0: none. */
  cv: Type.Optional(Type.Union([Type.Literal(0), Type.Integer({ minimum: 2, maximum: 50 })])),
}, strict)

export type TrainingPlan = Static<typeof TrainingPlanSchema>
export type Params = Static<typeof ParamsSchema>
export type DataSource = Static<typeof DataSchema>
export type ColumnHint = Static<typeof ColumnHintSchema>

/** @throws FatalError naming the file and each fault's place */
export function parseTrainingPlan (bytes: Uint8Array, file: string): TrainingPlan {
  try {
    return parseJson(TrainingPlanSchema, bytes)
  } catch (error) {
    throw new FatalError(`${file}: ${(error as Error).message}`)
  }
}

/** @throws FatalError naming each fault's place */
export function parseParams (params: object): Params {
  try {
    return parseJson(ParamsSchema, new TextEncoder().encode(JSON.stringify(params)))
  } catch (error) {
    throw new FatalError(`params: ${(error as Error).message}`)
  }
}
