import Type from 'typebox'

const signature = { signature_name: Type.Optional(Type.String({ description: 'serving_default: models have no other signature' })) }
const Rows = Type.Array(Type.Unknown())

/** For the documents: the routes read their bodies themselves. */
export const predictBody = {
  required: true,
  content: {
    'application/json': {
      schema: Type.Object({
        ...signature,
        instances: Type.Optional(Type.Array(Type.Unknown(), { description: 'Rows: objects by feature or input name, or lists' })),
        inputs: Type.Optional(Type.Unknown({ description: 'Columns: a list for each feature, or a nested list for each input, by name' })),
      }, { title: 'TensorFlow Serving request', description: 'Either instances or inputs' }),
    },
  },
}

export const examplesBody = {
  required: true,
  content: {
    'application/json': {
      schema: Type.Object({
        ...signature,
        context: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'Features that all examples share' })),
        examples: Type.Array(Type.Object({}, { additionalProperties: true }), { description: 'Features by name' }),
      }, { title: 'TensorFlow Serving examples' }),
    },
  },
}

export const predictAnswer = {
  description: '`predictions` row by row for `instances`, `outputs` column by column for `inputs`',
  content: { 'application/json': { schema: Type.Object({ predictions: Type.Optional(Rows), outputs: Type.Optional(Type.Unknown()) }) } },
}

export const resultsAnswer = {
  description: 'For each example its classes with their scores, or its value',
  content: { 'application/json': { schema: Type.Object({ results: Rows }) } },
}

export const StatusSchema = Type.Object({
  model_version_status: Type.Array(Type.Object({
    version: Type.String(),
    state: Type.String({ description: 'START, LOADING, AVAILABLE, UNLOADING or END' }),
    status: Type.Object({ error_code: Type.String(), error_message: Type.String() }),
  })),
})

export const MetadataSchema = Type.Object({ model_spec: Type.Object({}, { additionalProperties: true }), metadata: Type.Object({}, { additionalProperties: true }) })
