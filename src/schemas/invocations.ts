import Type from 'typebox'

const open = { additionalProperties: true }
const Cells = Type.Array(Type.Unknown())
const Rows = Type.Array(Type.Unknown(), { description: 'Objects by feature name, or lists in the order of the features' })

const about = 'Exactly one of the four forms; what stands beside them is left alone.'

/** For the documents: the route reads its bodies itself. */
export const invocationsBody = {
  required: true,
  content: {
    'application/json': {
      schema: Type.Object({
        dataframe_split: Type.Optional(Type.Object({ columns: Type.Optional(Type.Array(Type.String())), index: Type.Optional(Cells), data: Type.Array(Cells) }, open)),
        dataframe_records: Type.Optional(Rows),
        instances: Type.Optional(Rows),
        inputs: Type.Optional(Type.Unknown({ description: 'A list for each feature by its name; or, of a model of tensors, a nested list for each input' })),
        params: Type.Optional(Type.Object({ predict_method: Type.Optional(Type.Union([Type.Literal('predict'), Type.Literal('predict_proba')])) }, open)),
      }, { ...open, title: 'MLflow request', description: about }),
    },
    'application/jsonlines': { schema: Type.String({ description: 'One row a line' }) },
    'text/csv': { schema: Type.String({ description: 'With a header; without one where SageMaker started the server, or with header=absent beside the type' }) },
  },
}

export const invocationsAnswer = {
  description: 'The class or the number of each row; the outputs of a model of tensors',
  content: {
    'application/json': { schema: Type.Object({ predictions: Type.Unknown() }) },
    'application/jsonlines': { schema: Type.String({ description: 'One row\'s whole answer a line' }) },
    'text/csv': { schema: Type.String({ description: 'One row a line, no header' }) },
  },
}

export const ExecutionParametersSchema = Type.Object({
  MaxConcurrentTransforms: Type.Integer({ minimum: 1 }),
  BatchStrategy: Type.Literal('MULTI_RECORD'),
  MaxPayloadInMB: Type.Integer({ minimum: 1, maximum: 100 }),
})
