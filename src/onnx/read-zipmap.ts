import { create } from '@bufbuild/protobuf'
import { elementTypes } from './element-types.ts'
import { NodeProtoSchema, OperatorSetIdProtoSchema, TypeProtoSchema } from './onnx_pb.ts'
import { type OnnxModel, domainOf } from './read.ts'
import { type Classes, namedClasses } from './read-labels.ts'

/** A ZipMap that was cut out: the output that it made, and the classes that it named. */
export interface CutZipMap {
  readonly output: string
  readonly classes: Classes | undefined
}

/**
 * Cuts every ZipMap before an output out of the graph: the output is then the matrix of probabilities
 * that went into it, since the runtime can return no maps. Changes `model`.
 */
export function cutZipMaps (model: OnnxModel): CutZipMap[] {
  const { graph } = model
  return graph.output.flatMap(output => {
    const at = graph.node.findIndex(node => node.opType === 'ZipMap' && node.output[0] === output.name)
    const zipMap = graph.node[at]
    if (zipMap === undefined) return []
    const classes = namedClasses(zipMap)
    graph.node[at] = create(NodeProtoSchema, { opType: 'Identity', name: zipMap.name, input: zipMap.input, output: zipMap.output })
    importStandard(model)
    const columns = classes === undefined ? {} : { value: { case: 'dimValue' as const, value: BigInt(classes.length) } }
    output.type = create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType: elementTypes.float32, shape: { dim: [{}, columns] } } } })
    return [{ output: output.name, classes }]
  })
}

/** A file of ai.onnx.ml operators alone need not import the standard ones. */
export function importStandard ({ opsetImport }: OnnxModel): void {
  if (opsetImport.some(({ domain }) => domainOf(domain) === 'ai.onnx')) return
  opsetImport.push(create(OperatorSetIdProtoSchema, { domain: '', version: 13n }))
}
