import type { Feature, Manifest } from '../../artifact/manifest.ts'
import type { TensorSpec } from '../../tensor.ts'
import { type Datatype, datatypeOf } from './datatypes.ts'
import type { Signature } from './request.ts'
import { dimensionsOf } from './shape.ts'

export interface TensorMetadata { readonly name: string, readonly datatype: Datatype, readonly shape: readonly number[] }

export interface FeatureMetadata extends TensorMetadata { readonly required: boolean }

export interface ModelMetadata {
  readonly name: string
  /** Those that can be asked now, oldest first. */
  readonly versions: readonly string[]
  readonly platform: string
  readonly inputs: readonly TensorMetadata[]
  readonly outputs: readonly TensorMetadata[]
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** The graph's own inputs and outputs, and the features and labels of a model that has some. */
export function modelMetadata ({ name, features, labels }: Pick<Manifest, 'name' | 'features' | 'labels'>, versions: readonly string[], { inputs, outputs }: Signature): ModelMetadata {
  return {
    name,
    versions,
    platform: 'onnx_onnxv1',
    inputs: inputs.map(tensorMetadata),
    outputs: outputs.map(tensorMetadata),
    ...(features === undefined ? {} : { parameters: { features: features.map(featureMetadata), ...(labels === undefined ? {} : { labels }) } }),
  }
}

function tensorMetadata ({ name, type, shape }: TensorSpec): TensorMetadata {
  return { name, datatype: datatypeOf(type), shape: dimensionsOf(shape) }
}

const featureTypes = { number: 'FP64', integer: 'INT64', string: 'BYTES', boolean: 'BOOL' } as const satisfies Record<Feature['type'], Datatype>

/** A feature as a column that can be sent in place of the graph's inputs. */
export function featureMetadata ({ name, type, required = true }: Pick<Feature, 'name' | 'type' | 'required'>): FeatureMetadata {
  return { name, datatype: featureTypes[type], shape: [-1], required }
}
