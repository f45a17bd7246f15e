import Type, { type Static } from 'typebox'
import Value from 'typebox/value'
import { parseDocument } from 'yaml'
import { shapeFaults } from '../artifact/shape-faults.ts'
import { FatalError } from '../errors.ts'

const strict = { additionalProperties: false }
const Text = Type.String({ minLength: 1 })
/** What the pipeline calls a column: its name in what is written. Names that begin with _ are the pipeline's own. */
const ColumnName = Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$' })
const ColumnNames = Type.Array(ColumnName, { minItems: 1, uniqueItems: true })
const Limit = Type.Object({ column: ColumnName, value: Type.Number() }, strict)

const columnFields = {
  /** The source's names for it; the first that is there counts. */
  from: Type.Optional(Type.Union([Text, Type.Array(Text, { minItems: 1, uniqueItems: true })])),
  /** `id`: text, where a whole number that a spreadsheet has made 17850.0 is 17850. */
  type: Type.Optional(Type.Union([Type.Literal('text'), Type.Literal('id'), Type.Literal('integer'), Type.Literal('number'), Type.Literal('time')])),
  /** false: the source may lack it; it is left out then. */
  required: Type.Optional(Type.Boolean()),
  /** Texts and ids that differ in case only become the same. */
  case: Type.Optional(Type.Union([Type.Literal('upper'), Type.Literal('lower')])),
  /** Of numbers: what stands before the fraction. With a comma, points group digits. */
  decimal: Type.Optional(Type.Union([Type.Literal('.'), Type.Literal(',')])),
  /** Of times, in order: `iso` or a pattern of strptime. */
  formats: Type.Optional(Type.Array(Text, { minItems: 1, uniqueItems: true })),
}

const ColumnSchema = Type.Object(columnFields, strict)

/** Rows that meet the condition are dropped, under the step's name. */
const StepSchema = Type.Union([
  step({ missing: ColumnNames }),
  step({ duplicates: Type.Union([Type.Literal('all'), ColumnNames]) }),
  step({ matches: Type.Object({ column: ColumnName, pattern: Text }, strict) }),
  step({ in: Type.Object({ column: ColumnName, values: Type.Array(Text, { minItems: 1, uniqueItems: true }) }, strict) }),
  step({ atMost: Limit }),
  step({ atLeast: Limit }),
])

function step<Condition extends Type.TProperties> (condition: Condition) {
  return Type.Object({ name: ColumnName, why: Type.Optional(Text), ...condition }, strict)
}

export const PipelineFileSchema = Type.Object({
  $schema: Type.Optional(Type.String()),
  input: Type.Optional(Type.Object({
    encoding: Type.Optional(Type.Union([Type.Literal('utf-8'), Type.Literal('latin-1'), Type.Literal('utf-16')])),
    /** Of CSV; found in the header unless told. */
    delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
    /** Texts that stand for a missing value, in any case. */
    missing: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
  }, strict)),
  /** By the name in what is written; a text is short for `from`, false leaves out one that is built in. */
  columns: Type.Optional(Type.Record(ColumnName, Type.Union([Text, Type.Literal(false), ColumnSchema]), strict)),
  clean: Type.Optional(Type.Object({
    /** In place of the steps that are built in. */
    steps: Type.Array(StepSchema),
  }, strict)),
  rfm: Type.Optional(Type.Object({
    horizonDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500 })),
    /** Which columns of the clean data play which part. */
    columns: Type.Optional(Type.Object({
      customer: Type.Optional(Text),
      invoice: Type.Optional(Text),
      time: Type.Optional(Text),
      product: Type.Optional(Text),
      quantity: Type.Optional(Text),
      price: Type.Optional(Text),
    }, strict)),
  }, strict)),
}, strict)

export type PipelineFile = Static<typeof PipelineFileSchema>
export type Step = Static<typeof StepSchema>
export type ColumnSpec = Static<typeof ColumnSchema>

/**
 * Reads YAML, or JSON, which is YAML too.
 *
 * @throws FatalError naming the file and the place of every fault
 */
export function parsePipelineFile (text: string, file: string): PipelineFile {
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0) throw new FatalError(`${file}: ${document.errors.map(({ message }) => message.split(/:?\n/)[0]).join('; ')}`)
  let value: unknown
  try {
    // An empty file changes nothing.
    value = document.toJS() ?? {}
  } catch (error) {
    throw new FatalError(`${file}: ${(error as Error).message}`)
  }
  if (Value.Check(PipelineFileSchema, value)) return value
  throw new FatalError(`${file}: ${shapeFaults(PipelineFileSchema, value).join('; ')}`)
}
