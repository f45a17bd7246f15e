import type { Manifest } from '../artifact/manifest.ts'
import type { EngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { type GivenFeature, fitFeatures } from './features.ts'
import { type FileKind, fileKind } from './file-kind.ts'
import type { ImportedModel } from './imported.ts'
import { importLightgbm } from './lightgbm.ts'
import { type DescribedModel, importOnnx } from './onnx.ts'
import { importXgboost } from './xgboost.ts'

export interface ModelFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** What a person says that the file cannot. */
export interface Asked {
  readonly features?: readonly GivenFeature[] | undefined
  readonly labels?: readonly string[] | undefined
  readonly task?: Manifest['task'] | undefined
  readonly preprocessor?: Uint8Array | undefined
}

/**
 * Reads a model's file, of whatever kind it is.
 *
 * @throws FatalError with one line: why it cannot be served, and what to do
 */
export async function importFile ({ path, bytes }: ModelFile, asked: Asked, host: EngineHost): Promise<DescribedModel> {
  const kind = fileKind(bytes)
  if (kind === 'onnx') return await importOnnx({ file: path, bytes, preprocessor: asked.preprocessor }, asked, host)
  return fitTrees(importTrees(kind, bytes, asked), asked)
}

function importTrees (kind: Exclude<FileKind, 'onnx'>, bytes: Uint8Array, { labels }: Asked): ImportedModel {
  const options = labels === undefined ? {} : { labels }
  return kind === 'xgboost' ? importXgboost(bytes, options) : importLightgbm(bytes, options)
}

/** What may be sent for a column, since all of these are numbers to a tree. */
const others = { number: ['integer', 'boolean'], integer: ['number', 'boolean'], boolean: ['number', 'integer'], string: [] } as const

/** These files know their task and their columns; a person may know their names better. */
function fitTrees (model: ImportedModel, { features: given, task, preprocessor }: Asked): ImportedModel {
  if (task !== undefined && task !== model.task) throw new FatalError(`--task: the file says that it is a ${model.task}; leave --task out`)
  if (preprocessor !== undefined) throw new FatalError('--preprocessor is for ONNX files: this one takes its columns as they are')
  if (given === undefined || model.features === undefined) return model
  const columns = model.features.map(feature => ({ ...feature, also: others[feature.type] }))
  const features = fitFeatures({ columns, byPlace: true }, given)
  const renamed = new Map(columns.map(({ name }, i) => [name, features[i]!.name]))
  return {
    ...model,
    features,
    ...(model.preprocessor === undefined ? {} : { preprocessor: { ...model.preprocessor, columns: model.preprocessor.columns.map(column => ({ ...column, feature: renamed.get(column.feature)! })) } }),
  }
}
