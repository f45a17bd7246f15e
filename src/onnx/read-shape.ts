import { create } from '@bufbuild/protobuf'
import { TensorShapeProtoSchema } from './onnx_pb.ts'
import type { OnnxModel } from './read.ts'

/**
 * Declares the only input to be [rows, columns] where the file says nothing of its shape. Changes `model`.
 *
 * @returns whether it did
 */
export function declareColumns ({ graph }: OnnxModel, columns: number): boolean {
  const constants = new Set(graph.initializer.map(({ name }) => name))
  const [only, ...others] = graph.input.filter(({ name }) => !constants.has(name))
  const type = only?.type?.value
  if (others.length > 0 || type?.case !== 'tensorType' || (type.value.shape?.dim.length ?? 0) > 0) return false
  type.value.shape = create(TensorShapeProtoSchema, { dim: [{}, { value: { case: 'dimValue', value: BigInt(columns) } }] })
  return true
}
