import type { Manifest } from '../artifact/manifest.ts'
import type { Fault } from '../errors.ts'

/** One row's answer. */
export type Prediction =
  | { readonly prediction: number, readonly class_name?: string, readonly probabilities?: readonly number[] }
  | { readonly errors: readonly Fault[] }

/** What `/predict` answers. */
export interface Answer {
  /** The request was one row, and the answer is no list. */
  readonly single: boolean
  readonly predictions: readonly Prediction[]
  readonly warnings: readonly Fault[]
  readonly latencyMs: number
}

/** The JSON text of an answer; all numbers in it are finite. */
export type WriteAnswer = (answer: Answer) => string

/** Compiles the JSON of a version's answers: what is the same in all of them is written once. */
export function compileAnswerText ({ name, version }: Pick<Manifest, 'name' | 'version'>): WriteAnswer {
  const model = `"model":${JSON.stringify({ name, version })},"latency_ms":`
  return ({ single, predictions, warnings, latencyMs }) => {
    const [first] = predictions
    const body = single && first !== undefined ? members(first) : `"predictions":[${predictions.map(wrapped).join(',')}]`
    const oddities = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`
    return `{${body},${model}${latencyMs}${oddities}}`
  }
}

function wrapped (prediction: Prediction): string {
  return `{${members(prediction)}}`
}

function members (prediction: Prediction): string {
  if ('errors' in prediction) return `"errors":${JSON.stringify(prediction.errors)}`
  const { prediction: value, class_name: label, probabilities } = prediction
  const named = label === undefined ? '' : `,"class_name":${JSON.stringify(label)}`
  return `"prediction":${value}${named}${probabilities === undefined ? '' : `,"probabilities":[${probabilities.join(',')}]`}`
}
