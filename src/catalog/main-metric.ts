import type { Manifest } from '../artifact/manifest.ts'

/** A number by which two versions can be told apart; for errors, less is better. */
interface MetricKind { readonly name: string, readonly better: 'higher' | 'lower' }

const higher = (name: string): MetricKind => ({ name, better: 'higher' })
const lower = (name: string): MetricKind => ({ name, better: 'lower' })

/** What decides first; the others where a manifest does not have it. */
const kinds: Readonly<Record<Manifest['task'], readonly MetricKind[]>> = {
  classification: [higher('accuracy'), higher('f1_macro'), higher('balanced_accuracy'), higher('roc_auc'), lower('log_loss')],
  regression: [higher('r2'), lower('rmse'), lower('mae')],
  tensor: [],
}

/** What a list of versions shows: the two that matter most. */
export function mainMetrics ({ task, metrics }: Manifest): Record<string, number> {
  const shown = kinds[task].flatMap(({ name }) => numberIn(metrics, name).map(value => [name, value] as const))
  return Object.fromEntries(shown.slice(0, 2))
}

export interface Comparison {
  readonly metric: string
  readonly present: number
  readonly candidate: number
  /** How much worse the candidate is; negative where it is better. For errors, as a share of the present one. */
  readonly loss: number
}

/** Undefined where the two versions have no metric in common. */
export function compareMain (present: Manifest, candidate: Manifest): Comparison | undefined {
  if (present.task !== candidate.task) return undefined
  for (const { name, better } of kinds[candidate.task]) {
    const [a] = numberIn(present.metrics, name)
    const [b] = numberIn(candidate.metrics, name)
    if (a === undefined || b === undefined) continue
    const loss = better === 'higher' ? a - b : (b - a) / Math.max(Math.abs(a), Number.MIN_VALUE)
    return { metric: name, present: a, candidate: b, loss: Number.isFinite(loss) ? loss : b > a ? Number.MAX_VALUE : 0 }
  }
  return undefined
}

/** Rounding must not turn a loss that is just allowed into one that is not. */
export function isWorse ({ loss }: Comparison, tolerance: number): boolean {
  return loss > tolerance + 1e-9
}

function numberIn (metrics: Manifest['metrics'], name: string): number[] {
  const value = metrics !== undefined && Object.hasOwn(metrics, name) ? metrics[name] : undefined
  return typeof value === 'number' && Number.isFinite(value) ? [value] : []
}
