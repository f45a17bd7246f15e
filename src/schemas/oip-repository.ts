import Type from 'typebox'

const open = { additionalProperties: true }

export const IndexSchema = Type.Array(Type.Object({
  name: Type.String(),
  version: Type.String(),
  state: Type.Enum(['READY', 'UNAVAILABLE', 'LOADING', 'UNLOADING']),
  reason: Type.String({ description: 'Why it does not serve, or why it serves other files than are there now; empty where there is nothing to tell' }),
}))

/** For the documents: these bodies are read without a schema. */
export const indexRequestBody = body({ ready: { type: 'boolean', default: false, description: 'Only what is ready' } })
export const loadRequestBody = body({ parameters: { type: 'object', description: 'None: `config` and `file:` are refused' } })
export const unloadRequestBody = body({ parameters: { type: 'object', properties: { unload_dependents: { type: 'boolean', description: 'Taken, and without effect: no model depends on another' } } } })

/** Nothing to tell: it is done. */
export const DoneSchema = Type.Object({}, { additionalProperties: false })

const Duration = (description: string) => Type.Object({ count: Type.Integer(), ns: Type.Integer() }, { description })

export const StatisticsSchema = Type.Object({
  model_stats: Type.Array(Type.Object({
    name: Type.String(),
    version: Type.String(),
    last_inference: Type.Number({ description: 'Milliseconds since the epoch; 0 before the first request' }),
    inference_count: Type.Integer({ description: 'Rows of the requests that were answered' }),
    execution_count: Type.Integer({ description: 'Runs of the graph; requests that shared one count once' }),
    inference_stats: Type.Object({
      success: Duration('Requests that were answered'),
      fail: Duration('Requests that were not; their time is not taken'),
      queue: Duration('Waiting for a run'),
      compute_input: Duration('Validating and encoding'),
      compute_infer: Duration('The run, of which each request that shares one counts all'),
      compute_output: Duration('From the outputs to the answer'),
      cache_hit: Duration('Nothing is cached'),
      cache_miss: Duration('Nothing is cached'),
    }),
    batch_stats: Type.Array(Type.Object({}, open), { description: 'Empty: times are not kept by size' }),
  })),
})

function body (properties: Record<string, object>): { required: false, content: Record<string, object> } {
  return { required: false, content: { 'application/json': { schema: { type: 'object', properties } } } }
}
