import Type from 'typebox'

const open = { additionalProperties: true }

const VersionSummarySchema = Type.Object({
  version: Type.String(),
  state: Type.Union([Type.Literal('pending'), Type.Literal('loading'), Type.Literal('ready'), Type.Literal('failed'), Type.Literal('unloading'), Type.Literal('unloaded')]),
  reason: Type.Optional(Type.String({ description: 'Why its files are not served: a code, see docs/manifest.md. A version that is ready answers from those that it was loaded from' })),
  detail: Type.Optional(Type.String({ description: 'The same in words' })),
}, open)

const modelSummary = {
  name: Type.String(),
  default: Type.Boolean({ description: 'Whether /predict means this model' }),
  serving: Type.Union([Type.String(), Type.Null()], { description: 'The version that answers; null while none can' }),
  description: Type.Optional(Type.String()),
  task: Type.Optional(Type.String()),
  aliases: Type.Object({}, { ...open, description: 'Names for versions, from aliases.json' }),
  versions: Type.Array(VersionSummarySchema, { description: 'Oldest first' }),
}

/** `GET /models` */
export const ModelListSchema = Type.Object({ models: Type.Array(Type.Object(modelSummary, open)) })

/** `GET /models/{name}/versions/{version}`: the state, and all of a version that serves. */
export const VersionDetailSchema = Type.Object({
  name: Type.String(),
  ...VersionSummarySchema.properties,
  load_ms: Type.Optional(Type.Number({ description: 'From the first byte read to the last golden row' })),
  placement: Type.Optional(Type.Object({}, { ...open, description: 'Where its runs happen, and what was measured when it was loaded' })),
  inputs: Type.Optional(Type.Array(Type.Object({}, open), { description: 'Of the graph itself' })),
  outputs: Type.Optional(Type.Array(Type.Object({}, open))),
  notes: Type.Optional(Type.Array(Type.String(), { description: 'What is missing of what one would expect' })),
  manifest: Type.Optional(Type.Object({}, open)),
}, open)

/** `GET /models/{name}` */
export const ModelDetailSchema = Type.Object({ ...modelSummary, answers: Type.Union([VersionDetailSchema, Type.Null()]) }, open)
