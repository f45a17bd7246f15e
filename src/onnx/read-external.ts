import { create } from '@bufbuild/protobuf'
import { StringStringEntryProtoSchema, type TensorProto } from './onnx_pb.ts'
import { type OnnxModel, constantsOf } from './read.ts'

/** A constant whose bytes stand in another file. */
export interface ExternalConstant {
  readonly name: string
  /** Relative to the model's folder; '' where the file does not say. */
  readonly location: string
  /** Where its bytes end in that file, as far as the model says. */
  readonly end: number
}

const external = 1

export function externalConstants (model: OnnxModel): ExternalConstant[] {
  return externalTensors(model).map(tensor => ({
    name: tensor.name,
    location: entryOf(tensor, 'location') ?? '',
    end: Number(entryOf(tensor, 'offset') ?? 0) + Number(entryOf(tensor, 'length') ?? 0),
  }))
}

/** Gives files other names, wherever the model looks for them. Changes `model`. */
export function renameExternal (model: OnnxModel, names: ReadonlyMap<string, string>): void {
  for (const { externalData } of externalTensors(model)) {
    const at = externalData.findIndex(({ key }) => key === 'location')
    const name = names.get(externalData[at]?.value ?? '')
    if (name !== undefined) externalData[at] = create(StringStringEntryProtoSchema, { key: 'location', value: name })
  }
}

function externalTensors (model: OnnxModel): TensorProto[] {
  return [...constantsOf(model)].filter(({ dataLocation }) => dataLocation === external)
}

function entryOf ({ externalData }: TensorProto, wanted: string): string | undefined {
  return externalData.find(({ key }) => key === wanted)?.value
}
