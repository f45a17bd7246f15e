import { ArtifactError } from '../artifact/artifact-error.ts'
import type { Feature } from '../artifact/manifest.ts'
import type { Artifact } from '../artifact/read.ts'
import type { Engine, RunOptions } from '../engine/engine.ts'
import { type Encoder, type Matrix, compilePreprocessor, identityPreprocessor } from '../preprocess/compile.ts'
import type { Preprocessor } from '../preprocess/spec.ts'
import { type WriteAnswer, compileAnswerText } from '../schemas/answer-text.ts'
import { type RowReader, compileRowReader } from '../schemas/row-reader.ts'
import type { Tensor, TensorSpec } from '../tensor.ts'
import { type Answers, compileAnswers } from './answers.ts'

/** The rows' way through a version with features. */
export interface Tabular {
  readonly reader: RowReader
  readonly encoder: Encoder
  readonly writeAnswer: WriteAnswer
  /** Runs encoded rows; `matrix` is [rows, encoder.width] and belongs to the engine from here on. */
  readonly run: (matrix: Matrix, rows: number, options?: RunOptions) => Promise<TimedAnswers>
}

export interface TimedAnswers extends Answers { readonly queueMs: number, readonly runMs: number, readonly postprocessMs: number }

/** @throws ArtifactError when the version's parts do not fit together */
export function compileTabular (artifact: Artifact, features: readonly Feature[], engine: Engine): Tabular {
  const encoder = compileEncoder(artifact, features, engine.inputs)
  const readAnswers = compileAnswers(artifact.manifest, engine.outputs)
  return {
    encoder,
    reader: compileRowReader(features),
    writeAnswer: compileAnswerText(artifact.manifest),
    run: async (matrix, rows, options) => {
      const input: Tensor = { type: encoder.type, shape: [rows, encoder.width], data: matrix }
      const { outputs, queueMs, runMs } = await engine.run({ inputs: { [encoder.input]: input }, rows }, options)
      const ranMs = performance.now()
      const { predictions, probabilities } = readAnswers(outputs, rows)
      return { predictions, probabilities, queueMs, runMs, postprocessMs: performance.now() - ranMs }
    },
  }
}

/** @throws ArtifactError when the graph's inputs are not what the preprocessor fills */
export function compileEncoder ({ preprocessor }: Artifact, features: readonly Feature[], inputs: readonly TensorSpec[]): Encoder {
  const spec = preprocessor ?? identityPreprocessor(features, onlyInput(inputs))
  const encoder = compileSpec(spec, features)
  const fault = inputFault(encoder, inputs)
  if (fault !== undefined) throw new ArtifactError('SIGNATURE_MISMATCH', fault)
  return encoder
}

/** @throws ArtifactError BAD_PREPROCESSOR */
export function compileSpec (spec: Preprocessor, features: readonly Feature[]): Encoder {
  try {
    return compilePreprocessor(spec, features)
  } catch (error) {
    throw new ArtifactError('BAD_PREPROCESSOR', `preprocessor.json: ${(error as Error).message}`)
  }
}

function inputFault ({ input, type, width }: Encoder, inputs: readonly TensorSpec[]): string | undefined {
  const [only, ...others] = inputs
  if (only === undefined || others.length > 0) return `the model has ${inputs.length} inputs, its preprocessor fills one`
  if (only.name !== input) return `the model's input is "${only.name}", its preprocessor fills "${input}"`
  if (only.type !== type) return `the model's input is ${only.type}, its preprocessor gives ${type}`
  const columns = only.shape.at(-1)
  const fits = only.shape.length === 2 && (typeof columns !== 'number' || columns < 0 || columns === width)
  return fits ? undefined : `the model's input has the shape [${only.shape.join(', ')}], its preprocessor gives [rows, ${width}]`
}

function onlyInput (inputs: readonly TensorSpec[]): Preprocessor['output'] {
  const [input] = inputs
  if (input?.type === 'float32' || input?.type === 'float64') return { name: input.name, type: input.type }
  throw new ArtifactError('SIGNATURE_MISMATCH', `without a preprocessor the model must take float32 or float64, not ${input?.type}`)
}
