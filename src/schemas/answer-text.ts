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
export function compileAnswerText ({ name, version, labels = [] }: Pick<Manifest, 'name' | 'version' | 'labels'>): WriteAnswer {
  /** By class. */
  const named = labels.map(label => `,"class_name":${JSON.stringify(label)}`)
  const model = `"model":${JSON.stringify({ name, version })},"latency_ms":`
  return ({ single, predictions, warnings, latencyMs }) => {
    const [first] = predictions
    const body = single && first !== undefined ? members(first, named) : `"predictions":[${predictions.map(prediction => `{${members(prediction, named)}}`).join(',')}]`
    const oddities = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`
    return `{${body},${model}${latencyMs}${oddities}}`
  }
}

function members (prediction: Prediction, named: readonly string[]): string {
  if ('errors' in prediction) return `"errors":${JSON.stringify(prediction.errors)}`
  const { prediction: value, class_name: label, probabilities } = prediction
  let text = `"prediction":${value}`
  if (label !== undefined) text += named[value] ?? ''
  if (probabilities === undefined) return text
  text += ',"probabilities":['
  for (let i = 0; i < probabilities.length; i++) text += i === 0 ? probabilities[i] : `,${probabilities[i]}`
  return `${text}]`
}
