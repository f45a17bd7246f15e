import { type Answered, outputRowTexts } from './answered.ts'
import type { Asked, Signature } from './asked.ts'
import { isObject, wrongShape } from './faults.ts'
import { instanceRows } from './instances.ts'
import { instanceTensors } from './tensor-inputs.ts'

/**
 * Reads `{"instances": […], "parameters": …}`. No model of ours has parameters, so they change nothing.
 *
 * @throws ApiError BAD_ENVELOPE, INVALID_INPUT, TOO_MANY_ROWS
 */
export function readVertex (body: unknown, signature: Signature): Asked {
  if (!isObject(body) || !Object.hasOwn(body, 'instances')) throw wrongShape('', 'must be an object: {"instances": [row, …]}')
  const other = Object.keys(body).find(name => name !== 'instances' && name !== 'parameters')
  if (other !== undefined) throw wrongShape(`/${other}`, 'may not stand beside "instances" and "parameters"')
  const { instances } = body
  return signature.features === undefined ? instanceTensors(instances, '/instances', signature.inputs) : instanceRows(instances, '/instances', signature)
}

/** `{"predictions": […]}`: of each row what `/predict` answers, or the outputs of the graph. */
export function writeVertex (answered: Answered): string {
  return `{"predictions":[${rowAnswers(answered).join(',')}]}`
}

/** The JSON text of each row's whole answer. */
export function rowAnswers (answered: Answered): string[] {
  return answered.kind === 'rows' ? answered.predictions.map(prediction => JSON.stringify(prediction)) : outputRowTexts(answered.outputs)
}
