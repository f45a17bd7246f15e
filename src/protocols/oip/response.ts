import type { Tensor } from '../../tensor.ts'
import { writeBinaryData } from './binary-data.ts'
import { datatypeOf } from './datatypes.ts'
import { elementTexts } from '../element-text.ts'
import type { InferRequest } from './request.ts'

/** What is answered: a JSON text, then the bytes of the outputs that were wanted as such, in the order of the text. */
export interface InferAnswer {
  readonly json: string
  /** Views into the outputs; none: all of the answer is JSON. */
  readonly binary: readonly Uint8Array[]
}

/** Writes the outputs that were asked for, in the order in which they were. */
export function writeInferAnswer (
  { name, version }: { readonly name: string, readonly version: string },
  { id, outputs: wanted }: Pick<InferRequest, 'id' | 'outputs'>,
  outputs: Readonly<Record<string, Tensor>>
): InferAnswer {
  const binary: Uint8Array[] = []
  const texts = wanted.map(output => {
    const tensor = outputs[output.name]
    if (tensor === undefined) throw new Error(`the run gave no output "${output.name}"`)
    const head = `{"name":${JSON.stringify(output.name)},"datatype":"${datatypeOf(tensor.type)}","shape":${JSON.stringify(tensor.shape)}`
    if (!output.binary) return `${head},"data":[${elementTexts(tensor).join(',')}]}`
    const bytes = writeBinaryData(tensor)
    binary.push(bytes)
    return `${head},"parameters":{"binary_data_size":${bytes.length}}}`
  })
  const about = JSON.stringify({ model_name: name, model_version: version, ...(id === undefined ? {} : { id }) })
  return { json: `${about.slice(0, -1)},"outputs":[${texts.join(',')}]}`, binary }
}
