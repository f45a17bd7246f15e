import type { Feature, Manifest } from '../artifact/manifest.ts'
import { ApiError } from '../errors.ts'
import type { TensorSpec, TensorType } from '../tensor.ts'

/** As much of a model's state as its status tells. */
export interface ModelState {
  readonly name: string
  readonly aliases: Readonly<Record<string, string | { readonly version: string }>>
  readonly versions: readonly { readonly version: string, readonly state: string, readonly reason?: string }[]
}

interface VersionStatus { readonly version: string, readonly state: string, readonly status: { readonly error_code: string, readonly error_message: string } }

/** Our states in TensorFlow Serving's words; one that nothing will change is at its end. */
const states: Readonly<Record<string, string>> = { pending: 'START', loading: 'LOADING', ready: 'AVAILABLE', unloading: 'UNLOADING', unloaded: 'END', failed: 'END' }

/**
 * The states of a model's versions, the newest first as TensorFlow Serving lists them, or of the one that is named.
 *
 * @throws ApiError VERSION_NOT_FOUND
 */
export function modelStatus ({ name, aliases, versions }: ModelState, { version, alias }: { version?: string | undefined, alias?: string | undefined }): { model_version_status: VersionStatus[] } {
  const wanted = alias === undefined ? version : targetOf(aliases, alias)
  const named = alias === undefined && version === undefined ? [...versions].reverse() : versions.filter(known => known.version === wanted)
  if (named.length === 0 && alias !== undefined) {
    throw new ApiError('VERSION_NOT_FOUND', `The model ${name} has no version with the label "${alias.slice(0, 64)}"; its labels are ${Object.keys(aliases).join(', ') || 'none'}.`)
  }
  if (named.length === 0 && version !== undefined) {
    throw new ApiError('VERSION_NOT_FOUND', `The model ${name} has no version "${version.slice(0, 64)}"; it has ${versions.map(known => known.version).join(', ') || 'none'}.`)
  }
  return { model_version_status: named.map(statusOf) }
}

function targetOf (aliases: ModelState['aliases'], alias: string): string | undefined {
  const target = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined
  return typeof target === 'object' ? target.version : target
}

function statusOf ({ version, state, reason }: ModelState['versions'][number]): VersionStatus {
  const status = reason === undefined ? { error_code: 'OK', error_message: '' } : { error_code: 'FAILED_PRECONDITION', error_message: reason }
  return { version, state: states[state] ?? 'UNKNOWN', status }
}

interface TensorInfo { readonly dtype: string, readonly tensor_shape: { readonly dim: readonly { readonly size: string, readonly name: string }[], readonly unknown_rank: boolean }, readonly name: string }

const dtypes: Readonly<Record<TensorType, string>> = {
  float32: 'DT_FLOAT',
  float64: 'DT_DOUBLE',
  float16: 'DT_HALF',
  int8: 'DT_INT8',
  int16: 'DT_INT16',
  int32: 'DT_INT32',
  int64: 'DT_INT64',
  uint8: 'DT_UINT8',
  uint16: 'DT_UINT16',
  uint32: 'DT_UINT32',
  uint64: 'DT_UINT64',
  bool: 'DT_BOOL',
  string: 'DT_STRING',
}

const featureTypes: Readonly<Record<Feature['type'], TensorType>> = { number: 'float64', integer: 'int64', string: 'string', boolean: 'bool' }

/** What goes into a model and comes out of it, as the signature that TensorFlow Serving calls serving_default. */
export function modelMetadata (manifest: Manifest, { inputs, outputs }: { readonly inputs: readonly TensorSpec[], readonly outputs: readonly TensorSpec[] }): object {
  const { name, version, features } = manifest
  const signature = {
    inputs: infos(features === undefined ? inputs : features.map(({ name, type }) => ({ name, type: featureTypes[type], shape: [-1] }))),
    outputs: infos(features === undefined ? outputs : predictionSpecs(manifest)),
    method_name: 'tensorflow/serving/predict',
    defaults: {},
  }
  return {
    model_spec: { name, signature_name: '', version },
    metadata: { signature_def: { signature_def: { serving_default: signature } } },
  }
}

function predictionSpecs ({ task, labels = [], outputs }: Manifest): TensorSpec[] {
  if (task === 'regression') return [{ name: 'prediction', type: 'float64', shape: [-1] }]
  return [
    { name: 'prediction', type: 'int64', shape: [-1] },
    { name: 'class_name', type: 'string', shape: [-1] },
    ...(outputs?.probabilities === undefined ? [] : [{ name: 'probabilities', type: 'float64' as const, shape: [-1, labels.length] }]),
  ]
}

function infos (specs: readonly TensorSpec[]): Readonly<Record<string, TensorInfo>> {
  return Object.fromEntries(specs.map(({ name, type, shape }) => [name, {
    dtype: dtypes[type],
    tensor_shape: { dim: shape.map(size => ({ size: String(typeof size === 'number' ? size : -1), name: '' })), unknown_rank: false },
    name,
  }]))
}
