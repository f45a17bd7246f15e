import type { Manifest } from '../artifact/manifest.ts'
import { ApiError } from '../errors.ts'
import type { Prediction } from '../schemas/answer-text.ts'
import type { Tensor, TensorSpec } from '../tensor.ts'
import { objectText, rowTexts, tensorText } from './nested-text.ts'

/** What came of a request: a prediction for each row, or the outputs of the graph by name. */
export type Answered =
  | { readonly kind: 'rows', readonly predictions: readonly Prediction[] }
  | { readonly kind: 'tensors', readonly outputs: Readonly<Record<string, Tensor>> }

/** A row's class as its training data had it: a number where the graph itself calls its classes by whole numbers. */
export type ClassName = (prediction: Prediction) => string | number | null

export function classNames ({ labels = [], outputs = {} }: Manifest, specs: readonly TensorSpec[]): ClassName {
  const type = specs.find(({ name }) => name === outputs.label)?.type
  const areNumbers = type !== undefined && type !== 'string' && labels.every(label => /^(0|-?[1-9]\d{0,14})$/.test(label))
  return prediction => {
    if (!('prediction' in prediction)) return null
    const { class_name: name } = prediction
    return name === undefined || !areNumbers ? name ?? prediction.prediction : Number(name)
  }
}

/** The JSON texts of an answer row by row: an object by output name, or the only output's value alone. */
export function outputRowTexts (outputs: Readonly<Record<string, Tensor>>): string[] {
  const tensors = Object.entries(outputs)
  const rows = tensors[0]?.[1].shape[0]
  if (rows === undefined || tensors.some(([, { shape }]) => shape[0] !== rows)) {
    throw new ApiError('BAD_ENVELOPE', `The outputs of this model do not come in rows: ${tensors.map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', ')}. Send its inputs as whole tensors, under "inputs".`)
  }
  const texts = tensors.map(([name, tensor]) => [name, rowTexts(tensor)] as const)
  const [only] = texts
  if (texts.length === 1 && only !== undefined) return only[1]
  return Array.from({ length: rows }, (_, row) => objectText(texts.map(([name, own]) => [name, own[row] ?? 'null'])))
}

/** The JSON text of whole outputs: an object by name, or the only one alone. */
export function outputsText (outputs: Readonly<Record<string, Tensor>>): string {
  const texts = Object.entries(outputs).map(([name, tensor]) => [name, tensorText(tensor)] as const)
  const [only] = texts
  return texts.length === 1 && only !== undefined ? only[1] : objectText(texts)
}
