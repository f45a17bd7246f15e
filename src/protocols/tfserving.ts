import { ApiError } from '../errors.ts'
import type { Prediction } from '../schemas/answer-text.ts'
import { type Answered, outputRowTexts, outputsText } from './answered.ts'
import type { Asked, Signature } from './asked.ts'
import { Faults, escapePointer, isObject, wrongShape } from './faults.ts'
import { columnRows, instanceRows } from './instances.ts'
import { instanceTensors, wholeTensors } from './tensor-inputs.ts'

/** Rows are answered as `predictions`, columns as `outputs`. */
export type Format = 'row' | 'column'

export type Verb = 'predict' | 'classify' | 'regress'

/**
 * Reads `{"instances": …}` or `{"inputs": …}`.
 *
 * @throws ApiError BAD_ENVELOPE, INVALID_INPUT, TOO_MANY_ROWS
 */
export function readPredict (body: unknown, signature: Signature): { asked: Asked, format: Format } {
  const given = members(body, 'predict', ['instances', 'inputs'])
  const { instances, inputs } = given
  if ((instances === undefined) === (inputs === undefined)) throw wrongShape('', 'must have either "instances" or "inputs"')
  const isTensor = signature.features === undefined
  if (instances !== undefined) {
    return { asked: isTensor ? instanceTensors(instances, '/instances', signature.inputs) : instanceRows(instances, '/instances', signature), format: 'row' }
  }
  if (isTensor) return { asked: wholeTensors(inputs, '/inputs', signature.inputs), format: 'column' }
  return { asked: isObject(inputs) ? columnRows(inputs, '/inputs', signature) : instanceRows(inputs, '/inputs', signature), format: 'column' }
}

/**
 * Reads `{"context": {…}, "examples": [{…}, …]}`: what the context holds is part of every example.
 *
 * @throws ApiError BAD_ENVELOPE, INVALID_INPUT, TOO_MANY_ROWS
 */
export function readExamples (body: unknown, verb: Verb, signature: Signature): Asked {
  if (signature.features === undefined) throw new ApiError('BAD_ENVELOPE', `This model takes tensors: it has no features to ${verb} by. Use :predict.`)
  const { context = {}, examples } = members(body, verb, ['context', 'examples'])
  if (!isObject(context)) throw wrongShape('/context', 'must be an object by feature name')
  const { rows, place } = instanceRows(examples, '/examples', signature)
  if (Object.keys(context).length === 0) return { kind: 'rows', rows, place }
  checkContext(examples as unknown[], context)
  return {
    kind: 'rows',
    rows: rows.map(row => isObject(row) ? { ...row, ...context } : row),
    place: (row, path) => Object.keys(context).some(name => path === `/${escapePointer(name)}`) ? `/context${path}` : place(row, path),
  }
}

function checkContext (examples: readonly unknown[], context: Record<string, unknown>): void {
  const faults = new Faults()
  examples.forEach((example, row) => {
    if (!isObject(example)) return faults.add(`/examples/${row}`, 'must be an object by feature name')
    for (const name of Object.keys(example)) {
      if (Object.hasOwn(context, name)) faults.add(`/examples/${row}/${escapePointer(name)}`, 'stands in the context too')
    }
  })
  faults.refuse('BAD_ENVELOPE', 'The examples do not fit their context.')
}

/** The members of a body; the one signature that there is may be named. */
function members (body: unknown, verb: Verb, allowed: readonly string[]): Record<string, unknown> {
  if (!isObject(body)) throw wrongShape('', `must be an object with ${allowed.join(' or ')}`)
  const { signature_name: name = 'serving_default', ...others } = body
  if (!['serving_default', `tensorflow/serving/${verb}`, ''].includes(name as string)) {
    throw wrongShape('/signature_name', 'must be serving_default: models have no other signature')
  }
  const unknown = Object.keys(others).find(member => !allowed.includes(member))
  if (unknown !== undefined) throw wrongShape(`/${escapePointer(unknown)}`, `is not known here; the body has ${allowed.join(', ')} and signature_name`)
  return others
}

/** Bare values for a model of one output, else objects (row by row) or lists (column by column) by the name of the output. */
export function writePredict (answered: Answered, format: Format): string {
  if (answered.kind === 'tensors') {
    const { outputs } = answered
    return format === 'row' ? `{"predictions":[${outputRowTexts(outputs).join(',')}]}` : `{"outputs":${outputsText(outputs)}}`
  }
  const { predictions } = answered
  const names = outputNames(predictions)
  if (names.length === 1) {
    const values = predictions.map(prediction => valueOf(prediction, 'prediction'))
    return JSON.stringify(format === 'row' ? { predictions: values } : { outputs: values })
  }
  return JSON.stringify(format === 'row' ? { predictions } : { outputs: Object.fromEntries(names.map(name => [name, predictions.map(prediction => valueOf(prediction, name))])) })
}

const outputMembers = ['prediction', 'class_name', 'probabilities'] as const

function outputNames ([first]: readonly Prediction[]): (typeof outputMembers)[number][] {
  return outputMembers.filter(name => first !== undefined && name in first)
}

function valueOf (prediction: Prediction, name: (typeof outputMembers)[number]): unknown {
  return 'errors' in prediction ? null : prediction[name]
}

/** `{"results": […]}`: for each example its classes with their scores, or its value. */
export function writeResults (answered: Answered, verb: Verb, labels: readonly string[] | undefined): string {
  const predictions = answered.kind === 'rows' ? answered.predictions : []
  return JSON.stringify({
    results: predictions.map(prediction => {
      if (verb === 'regress' && labels === undefined) return valueOf(prediction, 'prediction')
      const scores = 'probabilities' in prediction ? prediction.probabilities : undefined
      if (verb === 'regress' || labels === undefined || scores === undefined) {
        throw new ApiError('BAD_ENVELOPE', `The model does not ${verb}: ${verb === 'regress' ? 'it is a classification' : 'it gives no probabilities'}. Use :predict.`)
      }
      return labels.map((label, i) => [label, scores[i]])
    }),
  })
}
