import type { Engine, EngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { type ModelFacts, modelFacts } from '../onnx/read-facts.ts'
import { declareColumns } from '../onnx/read-shape.ts'
import { cutZipMaps } from '../onnx/read-zipmap.ts'
import { deepestTree } from '../onnx/read-trees.ts'
import { type OnnxModel, readModel, writeModel } from '../onnx/read.ts'
import { maxDepth } from './ensemble-fault.ts'
import { type Columns, type GivenFeature, fitFeatures } from './features.ts'
import type { ImportedModel } from './imported.ts'
import { type Asked, answersOf } from './onnx-answers.ts'
import { batchNotices, columnsOf } from './onnx-columns.ts'
import { joinColumns } from './onnx-join.ts'
import { takeExternal } from './onnx-external.ts'
import { refusalOf } from './onnx-refusal.ts'
import { runSample } from './onnx-sample.ts'

export interface OnnxFile {
  /** Its path: weights may stand beside it. */
  readonly file: string
  readonly bytes: Uint8Array
  /** An ONNX file that makes the model's inputs. */
  readonly preprocessor?: Uint8Array | undefined
}

export interface DescribedModel extends ImportedModel {
  /** What the file says of itself, in words. */
  readonly description?: string
  /** preprocessor.onnx: what was given, or what joins the features into the model's inputs. */
  readonly preprocessorGraph?: Uint8Array
}

export interface AskedOfOnnx extends Asked {
  readonly features?: readonly GivenFeature[] | undefined
}

/**
 * Makes of an ONNX file what a version needs, from what it says of itself and from what it gives for some rows.
 *
 * @throws FatalError with one line: why it cannot be served, and what to do
 */
export async function importOnnx ({ file, bytes, preprocessor }: OnnxFile, asked: AskedOfOnnx, host: EngineHost): Promise<DescribedModel> {
  const model = readModel(bytes)
  const { files: externalData, renamed } = await takeExternal(model, file)
  const zipMaps = cutZipMaps(model)
  const facts = modelFacts(model)
  refuseTypes(facts)
  refuseDeepTrees(model)
  const graph = renamed || zipMaps.length > 0 ? writeModel(model) : bytes
  const engine = await host.open(graph, { externalData: new Map(Object.entries(externalData)), preprocessor }).catch((error: unknown) => {
    throw new FatalError(refusalOf(error), { cause: error })
  })
  const notices = zipMaps.map(({ output }) => `"${output}" was a list of maps, made by ZipMap: it is the matrix of probabilities now`)
  try {
    const { isChanged, ...meaning } = await meaningOf(model, engine, zipMaps, asked)
    const before = preprocessor === undefined ? {} : { preprocessorGraph: preprocessor }
    return { ...before, ...meaning, model: isChanged ? writeModel(model) : graph, externalData, origin: originOf(facts), notices: [...notices, ...meaning.notices], ...descriptionOf(facts) }
  } finally {
    await engine.close()
  }
}

/** The runtime would not refuse them: it would end the process. */
function refuseDeepTrees (model: OnnxModel): void {
  const { node, depth } = deepestTree(model) ?? { node: '', depth: 0 }
  if (depth > maxDepth) throw new FatalError(`a tree of its ${node} is ${depth} levels deep, and the runtime takes ${maxDepth} safely: train it with a maximum depth`)
}

interface Meaning extends Pick<DescribedModel, 'task' | 'features' | 'labels' | 'outputs' | 'notices' | 'preprocessorGraph'> {
  /** The model was given another output or shape. */
  readonly isChanged: boolean
}

async function meaningOf (model: OnnxModel, engine: Engine, zipMaps: ReturnType<typeof cutZipMaps>, asked: AskedOfOnnx): Promise<Meaning> {
  const { task, features: given, labels } = asked
  if (task === 'tensor') return { task, notices: [], isChanged: false }
  const isWanted = (task ?? given ?? labels) !== undefined
  const columns = columnsOf(engine.columns ?? engine.inputs, model, given?.length)
  if ('reason' in columns) {
    if (isWanted) throw new FatalError(`its inputs ${columns.reason}`)
    return asTensors(`its inputs ${columns.reason}`)
  }
  const features = fitted(columns, given)
  const sample = await runSample(engine, features.length)
  const answers = answersOf({ model, outputs: engine.outputs, zipMaps, sample }, asked)
  if (answers !== undefined) {
    const isShaped = engine.columns === undefined && declareColumns(model, features.length)
    const joined = columns.joined === true ? { preprocessorGraph: joinColumns(engine.inputs, features) } : {}
    return { ...answers, ...joined, features, notices: [...nameless(columns, given), ...batchNotices(engine.inputs), ...answers.notices], isChanged: isShaped || model.graph.output.length > engine.outputs.length }
  }
  const unclear = 'nothing in it says whether it classifies or regresses'
  if (isWanted) throw new FatalError(`${unclear}: give --task classification or --task regression`)
  return asTensors(`${unclear} (--task, --labels)`)
}

function fitted (columns: Columns, given: readonly GivenFeature[] | undefined) {
  try {
    return fitFeatures(columns, given)
  } catch (error) {
    throw new FatalError(`--features: ${(error as Error).message}`, { cause: error })
  }
}

function asTensors (reason: string): Meaning {
  return { task: 'tensor', isChanged: false, notices: [`served as raw tensors: ${reason}`] }
}

function nameless ({ byPlace, columns: [first] }: Columns, given: readonly GivenFeature[] | undefined): string[] {
  if (!byPlace || given !== undefined) return []
  return first?.name === 'f0' ? ['the file does not name its columns: they are f0, f1 …; give their names with --features'] : []
}

/** The runtime says of these only that it cannot. */
function refuseTypes ({ inputs, outputs }: ModelFacts): void {
  for (const [role, values] of [['input', inputs], ['output', outputs]] as const) {
    const odd = values.find(({ type }) => /^(list|map|optional|sparse|complex|bfloat|float8|float4|u?int4)/.test(type))
    if (odd !== undefined) throw new FatalError(`its ${role} "${odd.name}" is of the type ${odd.type}, and only tensors of numbers, truth values or texts can be served: export the model without it`)
  }
}

function descriptionOf ({ description }: ModelFacts): { description?: string } {
  return description === '' ? {} : { description }
}

function originOf ({ producer, opsets, irVersion, operators, parameters }: ModelFacts): ImportedModel['origin'] {
  return {
    format: 'onnx',
    ...(producer === '' ? {} : { producer }),
    irVersion,
    opsets,
    operators,
    parameters,
  }
}
