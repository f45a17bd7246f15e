import type { Tensor, TensorSpec } from '../tensor.ts'
import type { Asked } from './asked.ts'
import { isBase64 } from './elements.ts'
import { Faults, escapePointer, isObject, wrongShape } from './faults.ts'
import { type ElementPlace, below, readTensor } from './nested-tensor.ts'

/**
 * A graph's inputs row by row: a list with an element for each row, which is the input's where there is
 * one, else an object by input name.
 *
 * @param pointer where the list stands in the body
 * @throws ApiError BAD_ENVELOPE
 */
export function instanceTensors (instances: unknown, pointer: string, specs: readonly TensorSpec[]): Asked {
  if (!Array.isArray(instances)) throw wrongShape(pointer, 'must be a list with an element for each row')
  const [only] = specs
  if (only !== undefined && specs.length === 1 && !instances.some(instance => isNamed(instance, only))) {
    return asked([[only, readTensor(instances, only, below(pointer))]])
  }
  checkInstances(instances, pointer, specs)
  return asked(specs.map(spec => {
    const values = instances.map(instance => (instance as Record<string, unknown>)[spec.name])
    const place: ElementPlace = ([row, ...rest]) => row === undefined ? pointer : [pointer, row, escapePointer(spec.name), ...rest].join('/')
    return [spec, readTensor(values, spec, place)]
  }))
}

function isNamed (instance: unknown, { name }: TensorSpec): boolean {
  return isObject(instance) && (!isBase64(instance) || name === 'b64')
}

function checkInstances (instances: readonly unknown[], pointer: string, specs: readonly TensorSpec[]): void {
  const faults = new Faults()
  instances.forEach((instance, row) => {
    if (isObject(instance)) checkNames(instance, `${pointer}/${row}`, specs, faults)
    else faults.add(`${pointer}/${row}`, `must be an object with the inputs ${namesOf(specs)}`)
  })
  faults.refuse('BAD_ENVELOPE', 'The rows are not what the inputs of the model take.')
}

function checkNames (given: Record<string, unknown>, pointer: string, specs: readonly TensorSpec[], faults: Faults): void {
  for (const name of Object.keys(given)) {
    if (!specs.some(spec => spec.name === name)) faults.add(`${pointer}/${escapePointer(name)}`, `is not an input; the inputs are ${namesOf(specs)}`)
  }
  for (const { name } of specs) {
    if (!Object.hasOwn(given, name)) faults.add(pointer, `lacks the input ${name}`)
  }
}

/**
 * A graph's inputs as whole tensors: the only one's, or an object by input name.
 *
 * @throws ApiError BAD_ENVELOPE
 */
export function wholeTensors (inputs: unknown, pointer: string, specs: readonly TensorSpec[]): Asked {
  const [only] = specs
  if (!isObject(inputs) || (only !== undefined && specs.length === 1 && !isNamed(inputs, only))) {
    if (only === undefined || specs.length > 1) throw wrongShape(pointer, `must be an object with the inputs ${namesOf(specs)}`)
    return asked([[only, readTensor(inputs, only, below(pointer))]])
  }
  const faults = new Faults()
  checkNames(inputs, pointer, specs, faults)
  faults.refuse('BAD_ENVELOPE', 'The inputs are not those of the model.')
  return asked(specs.map(spec => [spec, readTensor(inputs[spec.name], spec, below(`${pointer}/${escapePointer(spec.name)}`))]))
}

/** Texts may be the names of anything: fromEntries makes own properties of them. */
function asked (tensors: readonly (readonly [TensorSpec, Tensor])[]): Asked {
  return { kind: 'tensors', inputs: Object.fromEntries(tensors.map(([{ name }, tensor]) => [name, tensor])) }
}

function namesOf (specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => name).join(', ')
}
