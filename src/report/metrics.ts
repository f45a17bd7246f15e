import Type, { type Static, type TSchema } from 'typebox'
import Value from 'typebox/value'

const Count = Type.Integer({ minimum: 0 })
const Points = Type.Array(Type.Tuple([Type.Number(), Type.Number()]))

/** What the metrics of a manifest may hold besides plain numbers, and a report can show. */
const shapes = {
  per_class: Type.Array(Type.Object({ label: Type.String(), precision: Type.Number(), recall: Type.Number(), f1: Type.Number(), support: Count })),
  confusion_matrix: Type.Array(Type.Array(Count)),
  roc: Type.Array(Type.Object({ label: Type.String(), auc: Type.Number(), points: Points })),
  pr: Type.Array(Type.Object({ label: Type.String(), average_precision: Type.Number(), points: Points })),
  calibration: Type.Object({
    label: Type.Optional(Type.String()),
    bins: Type.Array(Type.Object({ from: Type.Number(), to: Type.Number(), count: Count, predicted: Type.Number(), observed: Type.Number() })),
  }),
  importance: Type.Object({
    metric: Type.String(),
    repeats: Count,
    rows: Count,
    features: Type.Array(Type.Object({ feature: Type.String(), mean: Type.Number(), std: Type.Number() })),
  }),
  residuals: Type.Object({
    mean: Type.Number(),
    quantiles: Type.Record(Type.String(), Type.Number()),
    histogram: Type.Object({ edges: Type.Array(Type.Number(), { minItems: 2 }), counts: Type.Array(Count, { minItems: 1 }) }),
    points: Points,
  }),
  test: Type.Object({ share: Type.Optional(Type.Number()), rows: Count }),
} as const

type Shapes = typeof shapes
type Parts = { readonly [Name in keyof Shapes]?: Static<Shapes[Name]> }

const Spread = Type.Object({ mean: Type.Number(), std: Type.Number() })

export interface CrossValidation {
  readonly folds: number
  readonly scores: Readonly<Record<string, Static<typeof Spread>>>
}

/** What is known of how good a version is. */
export interface Metrics extends Parts {
  /** Every metric that is one number. */
  readonly scores: Readonly<Record<string, number>>
  readonly cv?: CrossValidation
}

/** Takes what it knows. Manifests come from many hands: what has another shape is as good as missing. */
export function readMetrics (raw: Readonly<Record<string, unknown>> = {}): Metrics {
  const parts = Object.fromEntries(Object.entries<TSchema>(shapes).flatMap(([name, schema]) => {
    return Value.Check(schema, raw[name]) && isDrawable(name, raw[name]) ? [[name, raw[name]]] : []
  })) as Parts
  const cv = readFolds(raw['cv'])
  return { scores: pick(raw, (value): value is number => typeof value === 'number' && Number.isFinite(value)), ...parts, ...(cv === undefined ? {} : { cv }) }
}

/** What a type cannot say. */
function isDrawable (name: string, part: unknown): boolean {
  if (name === 'confusion_matrix') return (part as number[][]).length > 0 && (part as number[][]).every(row => row.length === (part as number[][]).length)
  if (name !== 'residuals') return true
  const { edges, counts } = (part as NonNullable<Parts['residuals']>).histogram
  return edges.length === counts.length + 1
}

function readFolds (raw: unknown): CrossValidation | undefined {
  if (!Value.Check(Type.Object({ folds: Count }), raw)) return undefined
  return { folds: raw.folds, scores: pick(raw as Record<string, unknown>, (value): value is Static<typeof Spread> => Value.Check(Spread, value)) }
}

function pick<T> (record: Readonly<Record<string, unknown>>, isWanted: (value: unknown) => value is T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter((entry): entry is [string, T] => isWanted(entry[1])))
}

/** How a metric is called, and whether more of it is better; undefined for what is not known here. */
export const knownScores: Readonly<Record<string, { readonly title: string, readonly better: 'higher' | 'lower' } | undefined>> = {
  accuracy: { title: 'Accuracy', better: 'higher' },
  balanced_accuracy: { title: 'Balanced accuracy', better: 'higher' },
  f1_macro: { title: 'F1, mean of classes', better: 'higher' },
  precision_macro: { title: 'Precision, mean of classes', better: 'higher' },
  recall_macro: { title: 'Recall, mean of classes', better: 'higher' },
  roc_auc: { title: 'ROC AUC', better: 'higher' },
  log_loss: { title: 'Log loss', better: 'lower' },
  brier: { title: 'Brier score', better: 'lower' },
  ece: { title: 'Calibration error (ECE)', better: 'lower' },
  r2: { title: 'R²', better: 'higher' },
  mae: { title: 'Mean absolute error', better: 'lower' },
  rmse: { title: 'Root mean squared error', better: 'lower' },
}

export function scoreTitle (name: string): string {
  return Object.hasOwn(knownScores, name) ? knownScores[name]!.title : name
}
