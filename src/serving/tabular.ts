import { ArtifactError } from '../artifact/artifact-error.ts'
import type { Feature } from '../artifact/manifest.ts'
import type { Artifact } from '../artifact/read.ts'
import type { GraphSpecs } from '../engine/engine.ts'
import { columnsFeed } from '../preprocess/columns.ts'
import { type Encoder, compilePreprocessor, identityPreprocessor } from '../preprocess/compile.ts'
import { type Feed, matrixFeed } from '../preprocess/feed.ts'
import type { Preprocessor } from '../preprocess/spec.ts'
import { type WriteAnswer, compileAnswerText } from '../schemas/answer-text.ts'
import { type RowReader, compileRowReader } from '../schemas/row-reader.ts'
import type { TensorSpec } from '../tensor.ts'
import { type ReadAnswers, compileAnswers } from './answers.ts'

/** The rows' way through a version with features. */
export interface Tabular {
  readonly reader: RowReader
  readonly feed: Feed
  readonly writeAnswer: WriteAnswer
  /** What the graph's outputs say of each row. */
  readonly readAnswers: ReadAnswers
}

/** @throws ArtifactError when the version's parts do not fit together */
export function compileTabular (artifact: Artifact, features: readonly Feature[], engine: GraphSpecs): Tabular {
  return {
    feed: compileFeed(artifact, features, engine),
    readAnswers: compileAnswers(artifact.manifest, engine.outputs),
    reader: compileRowReader(features),
    writeAnswer: compileAnswerText(artifact.manifest),
  }
}

/** @throws ArtifactError when the graph's inputs are not what the features fill */
export function compileFeed ({ preprocessor }: Artifact, features: readonly Feature[], { inputs, columns }: GraphSpecs): Feed {
  const taken = columns ?? inputs
  if (preprocessor === undefined && !isOneMatrix(taken, features)) return namedColumns(features, taken)
  const encoder = compileSpec(preprocessor ?? identityPreprocessor(features, onlyInput(taken)), features)
  const fault = inputFault(encoder, taken)
  if (fault !== undefined) throw new ArtifactError('SIGNATURE_MISMATCH', fault)
  return matrixFeed(encoder)
}

/** One input that is no feature's own. */
function isOneMatrix (inputs: readonly TensorSpec[], features: readonly Feature[]): boolean {
  return inputs.length === 1 && !features.some(({ name }) => name === inputs[0]?.name)
}

/** @throws ArtifactError when inputs and features are not the same */
function namedColumns (features: readonly Feature[], inputs: readonly TensorSpec[]): Feed {
  try {
    return columnsFeed(features, inputs)
  } catch (error) {
    throw new ArtifactError('SIGNATURE_MISMATCH', (error as Error).message)
  }
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
