import type { Row, Value } from '../row.ts'
import type { Column, Preprocessor, Step } from './spec.ts'
import { type NumericStep, applySteps, numericSteps } from './steps.ts'

export type Matrix = Float32Array | Float64Array

/** Told once per value that cannot be encoded; `feature` is its index in the row. */
export type EncodingFault = (feature: number, message: string) => void

/** Features to numbers, compiled once per version; safe to share, it keeps no state between rows. */
export interface Encoder {
  /** The model input that the columns fill. */
  readonly input: string
  readonly type: Preprocessor['output']['type']
  /** Numbers per row. */
  readonly width: number
  /**
   * Writes `width` numbers at `out[offset]` and allocates nothing. A missing value without an impute
   * step becomes NaN; so does one that cannot be encoded, after `fault` was told.
   */
  write: (row: Row, out: Matrix, offset: number, fault?: EncodingFault) => void
}

/** What the encoder needs to know of a feature. */
export interface EncoderFeature { readonly name: string, readonly type: 'number' | 'integer' | 'string' | 'boolean' }

/**
 * @throws Error that names the column and step when the spec does not fit the features or itself
 */
export function compilePreprocessor (spec: Preprocessor, features: readonly EncoderFeature[]): Encoder {
  const columns = spec.columns.map((column, i) => {
    const path = `/columns/${i}`
    const compiled = compileColumn(column, features, path)
    checkImputed(compiled, column.steps, spec.output.type, path)
    return compiled
  })
  return {
    input: spec.output.name,
    type: spec.output.type,
    width: columns.reduce((width, column) => width + column.width, 0),
    write (row, out, offset, fault) {
      let at = offset
      for (const column of columns) {
        writeColumn(column, row[column.feature] ?? null, out, at, fault)
        at += column.width
      }
    },
  }
}

/** The spec of a model without a preprocessor: every feature as it is, in order. */
export function identityPreprocessor (features: readonly EncoderFeature[], output: Preprocessor['output']): Preprocessor {
  return { schemaVersion: 1, output, columns: features.map(feature => ({ feature: feature.name, steps: [] })) }
}

const noNumber = 'cannot be encoded: its preprocessing does not give a finite number'

interface Categories {
  readonly codes: ReadonlyMap<Value, number>
  /** Replaces a missing text or truth value; null: none does. */
  readonly impute: Value
  readonly oneHot: boolean
  /** The code of a value that is not among the categories; 'ignore' (one-hot only): all zeros; 'missing' (ordinal only): NaN. */
  readonly unknown: number | 'ignore' | 'missing' | 'error'
}

interface CompiledColumn {
  readonly feature: number
  readonly width: number
  /** On the number itself, before its category is looked up, if it is. */
  readonly steps: readonly NumericStep[]
  readonly categories: Categories | undefined
  /** On the ordinal code. */
  readonly codeSteps: readonly NumericStep[]
}

function writeColumn (column: CompiledColumn, value: Value, out: Matrix, at: number, fault: EncodingFault | undefined): void {
  if (column.categories === undefined) {
    writeNumber(column, applySteps(column.steps, toNumber(value)), value, out, at, fault)
  } else {
    writeCategory(column, column.categories, value, out, at, fault)
  }
}

function writeNumber (column: CompiledColumn, x: number, value: Value, out: Matrix, at: number, fault: EncodingFault | undefined): void {
  out[at] = x
  if (value === null) return
  if (!Number.isFinite(x)) fault?.(column.feature, noNumber)
  // As the tensor holds it: 1e39 is finite as a double and Infinity as a float32.
  else if (!Number.isFinite(out[at])) fault?.(column.feature, 'is too large for the model\'s input type')
}

function writeCategory (column: CompiledColumn, categories: Categories, value: Value, out: Matrix, at: number, fault: EncodingFault | undefined): void {
  const key = category(column, categories, value)
  const code = key === null ? undefined : categories.codes.get(key)
  if (key !== null && code === undefined && categories.unknown === 'error') {
    fault?.(column.feature, `must be one of ${[...categories.codes.keys()].join(', ')}`)
    out.fill(NaN, at, at + column.width)
  } else if (categories.oneHot) {
    if (key === null && value !== null) fault?.(column.feature, noNumber)
    out.fill(key === null ? NaN : 0, at, at + column.width)
    if (code !== undefined) out[at + code] = 1
  } else {
    writeCode(column, categories, key, value, out, at, fault)
  }
}

function writeCode (column: CompiledColumn, { codes, unknown }: Categories, key: Value, value: Value, out: Matrix, at: number, fault: EncodingFault | undefined): void {
  const code = key === null ? NaN : codes.get(key)
  // An unknown category that counts as missing is no more of a fault than a value that was left out.
  const given = code === undefined && unknown === 'missing' ? null : value
  writeNumber(column, applySteps(column.codeSteps, code ?? (typeof unknown === 'number' ? unknown : NaN)), given, out, at, fault)
}

/** What to look up: the value itself, or what the steps make of a number; null when it is missing. */
function category (column: CompiledColumn, categories: Categories, value: Value): Value {
  if (column.steps.length === 0) return value ?? categories.impute
  const x = applySteps(column.steps, toNumber(value))
  return Number.isNaN(x) ? null : x
}

function toNumber (value: Value): number {
  return value === null ? NaN : Number(value)
}

/** What a missing value is replaced by is known already: no row should fail for what its sender left out. */
function checkImputed (column: CompiledColumn, steps: readonly Step[], type: Encoder['type'], path: string): void {
  if (!steps.some(step => 'impute' in step)) return
  const out = type === 'float32' ? new Float32Array(column.width) : new Float64Array(column.width)
  writeColumn(column, null, out, 0, (_, message) => { throw new Error(`${path}: the imputed value ${message}`) })
  if (!out.every(Number.isFinite)) throw new Error(`${path}: the imputed value does not become a finite ${type}`)
}

function compileColumn (column: Column, features: readonly EncoderFeature[], path: string): CompiledColumn {
  const feature = features.findIndex(({ name }) => name === column.feature)
  const type = features[feature]?.type
  if (type === undefined) throw new Error(`${path}/feature: the manifest has no feature "${column.feature}"`)
  const at = column.steps.findIndex(step => 'oneHot' in step || 'ordinal' in step)
  const lookup = column.steps[at]
  if (lookup === undefined) {
    if (type === 'string') throw new Error(`${path}: "${column.feature}" is a string and needs a oneHot or ordinal step`)
    return { feature, width: 1, steps: numericSteps(column.steps, path, 0), categories: undefined, codeSteps: [] }
  }
  const before = column.steps.slice(0, at)
  const categories = compileCategories(lookup, before, type, `${path}/steps/${at}`)
  return {
    feature,
    width: categories.oneHot ? categories.codes.size : 1,
    steps: isNumeric(type) ? numericSteps(before, path, 0) : [],
    categories,
    codeSteps: codeSteps(column.steps.slice(at + 1), categories, path, at + 1),
  }
}

function codeSteps (steps: readonly Step[], { oneHot }: Categories, path: string, first: number): NumericStep[] {
  if (oneHot && steps.length > 0) throw new Error(`${path}/steps/${first}: nothing may follow oneHot`)
  return numericSteps(steps, path, first)
}

function compileCategories (step: Step, before: readonly Step[], type: EncoderFeature['type'], path: string): Categories {
  const spec = 'oneHot' in step ? step.oneHot : 'ordinal' in step ? step.ordinal : undefined
  if (spec === undefined) throw new Error(`${path}: is not a oneHot or ordinal step`)
  const expected = isNumeric(type) ? 'number' : type
  const wrong = spec.categories.find(category => typeof category !== expected)
  if (wrong !== undefined) throw new Error(`${path}: the category ${JSON.stringify(wrong)} is not a ${expected}`)
  const codes = new Map<Value, number>(spec.categories.map((category, code) => [category, code]))
  if (codes.size < spec.categories.length) throw new Error(`${path}: a category occurs twice`)
  return {
    codes,
    impute: isNumeric(type) ? null : imputedCategory(before, expected, path),
    oneHot: 'oneHot' in step,
    unknown: spec.unknown,
  }
}

function imputedCategory (before: readonly Step[], expected: string, path: string): Value {
  const [step, ...more] = before
  if (step === undefined) return null
  if (!('impute' in step) || more.length > 0 || typeof step.impute !== expected) {
    throw new Error(`${path}: only one impute step with a ${expected} may stand before it`)
  }
  return step.impute
}

function isNumeric (type: EncoderFeature['type']): boolean {
  return type === 'number' || type === 'integer'
}
