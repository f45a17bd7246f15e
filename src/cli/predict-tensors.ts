import { FatalError } from '../errors.ts'
import { outputRowTexts } from '../protocols/answered.ts'
import type { Asked } from '../protocols/asked.ts'
import { objectText, tensorText } from '../protocols/nested-text.ts'
import { instanceTensors, wholeTensors } from '../protocols/tensor-inputs.ts'
import type { PredictInput } from '../schemas/decode.ts'
import type { Inference } from '../serving/inference.ts'
import type { Model } from '../serving/model.ts'
import type { Format } from './predict-output.ts'

/**
 * Runs a graph on tensors of its own, written as nested lists: whole under "inputs", or row by row under "instances".
 *
 * @returns lines: for a person, or `{"outputs": …}`, or one for each row
 * @throws FatalError that names the inputs where there are none, ApiError for tensors that do not fit
 */
export async function predictTensors (model: Model, inference: Inference, input: PredictInput | undefined, format: Format): Promise<string[]> {
  if (format === 'csv') throw new FatalError('tensors cannot be printed as csv: say --output json or ndjson')
  const asked = readTensors(model, input)
  if (asked?.kind !== 'tensors') throw needsTensors(model)
  const { outputs } = await inference.infer(model, asked.inputs)
  if (format === 'ndjson') return outputRowTexts(outputs)
  const texts = Object.entries(outputs).map(([name, tensor]) => [name, tensorText(tensor)] as const)
  if (format === 'json') return [`{"outputs":${objectText(texts)}}`]
  const { name, version } = model.manifest
  return [`${name} ${version}`, ...texts.map(([output, text]) => `  ${output} (${outputs[output]?.type}, [${outputs[output]?.shape.join(', ')}]): ${text}`)]
}

function readTensors ({ engine: { inputs } }: Model, input: PredictInput | undefined): Asked | undefined {
  const body = input?.type === 'json' ? input.body : undefined
  if (typeof body !== 'object' || body === null) return undefined
  if ('inputs' in body) return wholeTensors(body.inputs, '/inputs', inputs)
  return 'instances' in body ? instanceTensors(body.instances, '/instances', inputs) : undefined
}

function needsTensors ({ manifest: { name, version }, engine }: Model): FatalError {
  const inputs = engine.inputs.map(({ name, type, shape }) => `${name} (${type}, [${shape.join(', ')}])`)
  const example = `--json '{"inputs": {${engine.inputs.map(({ name }) => `"${name}": …`).join(', ')}}}'`
  return new FatalError(`${name} ${version} is served as raw tensors and has no features to predict from; give its inputs as ${example}: ${inputs.join(', ')}`)
}
