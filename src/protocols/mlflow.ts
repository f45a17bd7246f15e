import { ApiError } from '../errors.ts'
import type { Asked, Signature } from './asked.ts'
import { splitFrame, splitRows } from './dataframe.ts'
import { isObject, wrongShape } from './faults.ts'
import { columnRows, instanceRows } from './instances.ts'
import { below, readTensor } from './nested-tensor.ts'
import { instanceTensors, wholeTensors } from './tensor-inputs.ts'

/** What MLflow's tutorials let `params` choose of a classifier. */
export type PredictMethod = 'predict' | 'predict_proba'

const forms = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const

/**
 * Reads the body of MLflow's scoring server: exactly one of the four forms; what else stands beside it
 * is left alone, as MLflow does.
 *
 * @throws ApiError BAD_ENVELOPE, INVALID_INPUT, TOO_MANY_ROWS
 */
export function readMlflow (body: unknown, signature: Signature): { asked: Asked, method: PredictMethod } {
  const given = isObject(body) ? forms.filter(form => Object.hasOwn(body, form)) : []
  const [form] = given
  if (!isObject(body) || form === undefined || given.length > 1) {
    throw new ApiError('BAD_ENVELOPE', `The body must be an object with exactly one of ${forms.join(', ')}${given.length > 1 ? `, not ${given.join(' and ')}` : ''}.`)
  }
  const method = readMethod(body['params'])
  const read = signature.features === undefined ? readTensors : readRows
  return { asked: read(form, body[form], signature), method }
}

type Read = (form: typeof forms[number], content: unknown, signature: Signature) => Asked

const readRows: Read = (form, content, signature) => {
  const pointer = `/${form}`
  switch (form) {
    case 'dataframe_split': return splitRows(splitFrame(content, pointer, signature), pointer, signature)
    case 'dataframe_records':
    case 'instances': return instanceRows(content, pointer, signature)
    case 'inputs': return isObject(content) ? columnRows(content, pointer, signature) : instanceRows(content, pointer, signature)
    default: return form satisfies never
  }
}

const readTensors: Read = (form, content, signature) => {
  const { inputs } = signature
  const pointer = `/${form}`
  switch (form) {
    case 'dataframe_split': return splitTensors(content, pointer, signature)
    case 'dataframe_records':
    case 'instances': return instanceTensors(content, pointer, inputs)
    case 'inputs': return wholeTensors(content, pointer, inputs)
    default: return form satisfies never
  }
}

/** Columns by the names of the inputs, or the whole frame as the only one. */
function splitTensors (content: unknown, pointer: string, signature: Signature): Asked {
  const { columns, data } = splitFrame(content, pointer, signature)
  const { inputs } = signature
  const [only] = inputs
  if (columns !== undefined && inputs.every(({ name }) => columns.includes(name))) {
    const used = inputs.map(spec => [spec, columns.indexOf(spec.name)] as const)
    return {
      kind: 'tensors',
      inputs: Object.fromEntries(used.map(([spec, column]) => [spec.name, readTensor(data.map(row => row[column]), spec,
        ([row, ...rest]) => [pointer, 'data', ...row === undefined ? [] : [row, column], ...rest].join('/'))])),
    }
  }
  if (only === undefined || inputs.length > 1) throw wrongShape(`${pointer}/columns`, `must name the inputs ${inputs.map(({ name }) => name).join(', ')}`)
  return { kind: 'tensors', inputs: { [only.name]: readTensor(data, only, below(`${pointer}/data`)) } }
}

function readMethod (params: unknown): PredictMethod {
  if (params === undefined || params === null) return 'predict'
  if (!isObject(params)) throw wrongShape('/params', 'must be an object')
  const { predict_method: method = 'predict' } = params
  if (method === 'predict' || method === 'predict_proba') return method
  throw new ApiError('INVALID_INPUT', 'The params are not known to this model.', { errors: [{ path: '/params/predict_method', message: 'must be predict or predict_proba' }] })
}
