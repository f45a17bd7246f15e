import Type from 'typebox'

const Rows = Type.Array(Type.Unknown(), { description: 'Objects by feature name, or lists in the order of the features; of a model of tensors an element for each row' })

/** For the documents: the route reads its body itself. */
export const vertexBody = {
  required: true,
  content: { 'application/json': { schema: Type.Object({ instances: Rows, parameters: Type.Optional(Type.Unknown()) }, { title: 'Vertex AI request' }) } },
}

export const vertexAnswer = {
  description: 'An answer for each row',
  content: { 'application/json': { schema: Type.Object({ predictions: Type.Array(Type.Unknown()) }) } },
}

export const VertexHealthSchema = Type.Object({ status: Type.Union([Type.Literal('ready'), Type.Literal('unavailable')]) })
