import Type from 'typebox'

/** The protocol's names of element types. */
export const datatypes = ['BOOL', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'FP16', 'FP32', 'FP64', 'BYTES'] as const

export type Datatype = typeof datatypes[number]

const open = { additionalProperties: true }
const DatatypeSchema = Type.Enum([...datatypes])
const Shape = (description: string) => Type.Array(Type.Integer(), { description })

export const ServerMetadataSchema = Type.Object({
  name: Type.String(),
  version: Type.String(),
  extensions: Type.Array(Type.String(), { description: 'What of Triton\'s extensions there is' }),
})

export const LiveSchema = Type.Object({ live: Type.Boolean() })

export const ReadySchema = Type.Object({ ready: Type.Boolean(), error: Type.Optional(Type.String()) })

export const ModelListSchema = Type.Object({ models: Type.Array(Type.String()) })

export const ModelReadySchema = Type.Object({ name: Type.String(), version: Type.String(), ready: Type.Boolean() })

const TensorMetadataSchema = Type.Object({
  name: Type.String(),
  datatype: DatatypeSchema,
  shape: Shape('-1 where any size is possible'),
}, open)

export const ModelMetadataSchema = Type.Object({
  name: Type.String(),
  versions: Type.Array(Type.String(), { description: 'Those that can be asked, oldest first' }),
  platform: Type.String(),
  inputs: Type.Array(TensorMetadataSchema, { description: 'Of the graph itself' }),
  outputs: Type.Array(TensorMetadataSchema),
  parameters: Type.Optional(Type.Object({
    features: Type.Optional(Type.Array(TensorMetadataSchema, { description: 'Columns that can be sent in place of the inputs' })),
    labels: Type.Optional(Type.Array(Type.String(), { description: 'Of a classification: index = class' })),
  }, open)),
})

const binarySize = { binary_data_size: Type.Optional(Type.Integer({ minimum: 0, description: 'Its bytes, which stand behind the JSON in place of data' })) }

const TensorSchema = Type.Object({
  name: Type.String(),
  datatype: DatatypeSchema,
  shape: Shape('Row-major; an empty list is a scalar'),
  data: Type.Optional(Type.Array(Type.Unknown(), { description: 'Flat, or nested as the shape says; null is NaN' })),
  parameters: Type.Optional(Type.Object(binarySize, open)),
}, open)

const InferRequestSchema = Type.Object({
  id: Type.Optional(Type.String({ description: 'Given back in the answer' })),
  inputs: Type.Array(TensorSchema, { description: 'The model\'s inputs, or its features as columns' }),
  outputs: Type.Optional(Type.Array(Type.Object({
    name: Type.String(),
    parameters: Type.Optional(Type.Object({ binary_data: Type.Optional(Type.Boolean()) }, open)),
  }, open), { description: 'Which outputs, in this order; all of them unless told' })),
  parameters: Type.Optional(Type.Object({ binary_data_output: Type.Optional(Type.Boolean({ description: 'Outputs as bytes behind the JSON' })) }, open)),
}, { ...open, title: 'Open Inference Protocol request' })

const InferAnswerSchema = Type.Object({
  model_name: Type.String(),
  model_version: Type.String(),
  id: Type.Optional(Type.String()),
  outputs: Type.Array(TensorSchema),
}, { title: 'Open Inference Protocol answer' })

const headerText = 'The JSON, its length in the header Inference-Header-Content-Length, then the bytes of the tensors in their order, little-endian.'
const binaryContent = { schema: { type: 'string', format: 'binary', description: headerText } }

/** For the documents: what `infer` reads it reads itself. */
export const inferRequestBody = {
  required: true,
  content: { 'application/json': { schema: InferRequestSchema }, 'application/octet-stream': binaryContent },
}

export const inferResponse = {
  description: 'The outputs, in the order in which they were asked for',
  content: { 'application/json': { schema: InferAnswerSchema }, 'application/octet-stream': binaryContent },
}
