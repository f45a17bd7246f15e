import { FatalError } from '../errors.ts'
import { type ColumnSpec, type PipelineFile, type Step } from './pipeline-file.ts'

export interface Column {
  readonly name: string
  /** The source's names for it, the most wanted first. */
  readonly from: readonly string[]
  readonly type: NonNullable<ColumnSpec['type']>
  readonly required: boolean
  readonly case?: 'upper' | 'lower' | undefined
  readonly decimal: '.' | ','
  readonly formats: readonly string[]
}

export const rfmParts = ['customer', 'invoice', 'time', 'product', 'quantity', 'price'] as const
export type RfmPart = typeof rfmParts[number]

/** What a run does, with nothing left to default. */
export interface Pipeline {
  readonly input: { readonly encoding: string, readonly delimiter?: string | undefined, readonly missing: readonly string[] }
  readonly columns: readonly Column[]
  readonly steps: readonly Step[]
  readonly rfm: { readonly horizonDays: number, readonly columns: Readonly<Record<RfmPart, string>> }
}

// Month before day with slashes, day before month with dashes and points, as the copies of the retail
// data have it. Both orders for one sign would read 2/1 now this way, now that.
const timeFormats = ['iso', '%m/%d/%y %H:%M', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y', '%d-%m-%Y %H:%M', '%d-%m-%Y %H:%M:%S', '%d-%m-%Y', '%d.%m.%Y %H:%M', '%d.%m.%Y']

/** The names of the Online Retail data (UCI) and of its second edition. */
const builtInColumns: Readonly<Record<string, ColumnSpec>> = {
  invoice: { from: ['InvoiceNo', 'Invoice'], type: 'id' },
  product: { from: ['StockCode'], type: 'id', case: 'upper' },
  description: { from: ['Description'], type: 'text', required: false },
  quantity: { from: ['Quantity'], type: 'integer' },
  time: { from: ['InvoiceDate'], type: 'time' },
  price: { from: ['UnitPrice', 'Price'], type: 'number' },
  customer: { from: ['CustomerID', 'Customer ID'], type: 'id' },
  country: { from: ['Country'], type: 'text', required: false },
}

const builtInSteps: readonly Step[] = [
  { name: 'duplicate', duplicates: 'all', why: 'the same as an earlier row' },
  { name: 'cancelled', matches: { column: 'invoice', pattern: '^[Cc]' }, why: 'cancels another invoice' },
  { name: 'adjustment', matches: { column: 'invoice', pattern: '^[Aa]' }, why: 'corrects the books' },
  { name: 'missing_value', missing: ['invoice', 'product', 'quantity', 'time', 'price'] },
  { name: 'no_customer', missing: ['customer'] },
  {
    name: 'not_a_product',
    in: { column: 'product', values: ['POST', 'DOT', 'M', 'D', 'S', 'B', 'C2', 'PADS', 'CRUK', 'AMAZONFEE', 'BANK CHARGES', 'ADJUST', 'ADJUST2', 'TEST001', 'TEST002'] },
    why: 'postage, fees, discounts, tests',
  },
  { name: 'nothing_sold', atMost: { column: 'quantity', value: 0 }, why: 'returned, lost or corrected' },
  { name: 'no_price', atMost: { column: 'price', value: 0 }, why: 'given away or corrected' },
]

/** Names that the report gives to rows which no step of the file has dropped. */
const ownSteps = ['read', 'malformed', 'unreadable', 'kept']

const builtInMissing = ['', 'na', 'n/a', 'nan', 'null', 'none', 'nat', '?']

/**
 * The file's wishes over what is built in.
 *
 * @param name the file's, for messages
 * @throws FatalError that tells every contradiction and its place
 */
export function makePipeline (file: PipelineFile, name: string): Pipeline {
  const faults: string[] = []
  const columns = mergeColumns(file.columns ?? {}, faults)
  const steps = file.clean === undefined ? stepsFor(columns) : checkSteps(file.clean.steps, columns, faults)
  if (faults.length > 0) throw new FatalError(`${name}: ${faults.join('; ')}`)
  const parts = Object.fromEntries(rfmParts.map(part => [part, file.rfm?.columns?.[part] ?? part])) as Record<RfmPart, string>
  return {
    input: { encoding: file.input?.encoding ?? 'utf-8', delimiter: file.input?.delimiter, missing: (file.input?.missing ?? builtInMissing).map(text => text.toLowerCase()) },
    columns,
    steps,
    rfm: { horizonDays: file.rfm?.horizonDays ?? 90, columns: parts },
  }
}

function mergeColumns (wishes: NonNullable<PipelineFile['columns']>, faults: string[]): Column[] {
  const names = [...new Set([...Object.keys(builtInColumns), ...Object.keys(wishes)])]
  return names.flatMap(name => {
    const { [name]: wish = {} } = wishes
    if (wish === false) return []
    const { from, type, required, case: letters, decimal, formats } = withBuiltIn(name, typeof wish === 'string' ? { from: wish } : wish)
    if (type === undefined) faults.push(`/columns/${name} must have type: it is none of those that are built in`)
    if (letters !== undefined && type !== 'text' && type !== 'id') faults.push(`/columns/${name}/case is for text and id only`)
    return [{
      name,
      // Under its own name it is there in what an earlier run has written.
      from: [...new Set([from ?? [], name].flat())],
      type: type ?? 'text',
      required: required ?? true,
      case: letters,
      decimal: decimal ?? '.',
      formats: formats ?? timeFormats,
    }]
  })
}

/** Of another source's column nobody knows whether case matters, so that is not built in for it. */
function withBuiltIn (name: string, told: ColumnSpec): ColumnSpec {
  const builtIn = Object.hasOwn(builtInColumns, name) ? builtInColumns[name]! : {}
  const { case: letters, ...others } = builtIn
  return told.from === undefined ? { ...builtIn, ...told } : { ...others, ...told }
}

/** The built-in steps, as far as their columns have not been left out. */
function stepsFor (columns: readonly Column[]): Step[] {
  const names = new Set(columns.map(({ name }) => name))
  return builtInSteps.flatMap(step => withColumns(step, names) ?? [])
}

/** A step over the columns that are there; undefined where it needs one that is not. */
export function withColumns (step: Step, names: ReadonlySet<string>): Step | undefined {
  if ('missing' in step) {
    const missing = step.missing.filter(name => names.has(name))
    return missing.length > 0 ? { ...step, missing } : undefined
  }
  return columnsOf(step).every(name => names.has(name)) ? step : undefined
}

function checkSteps (steps: readonly Step[], columns: readonly Column[], faults: string[]): readonly Step[] {
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  const seen = new Set(ownSteps)
  for (const [i, step] of steps.entries()) {
    const place = `/clean/steps/${i}`
    if (seen.has(step.name)) faults.push(`${place}/name "${step.name}" is taken`)
    seen.add(step.name)
    for (const name of columnsOf(step)) {
      const type = types.get(name)
      if (type === undefined) faults.push(`${place} names the column "${name}"; there are ${[...types.keys()].join(', ')}`)
      else if (('atMost' in step || 'atLeast' in step) && type !== 'integer' && type !== 'number') faults.push(`${place} compares "${name}" with a number, and it is ${type}`)
      else if (('matches' in step || 'in' in step) && type !== 'text' && type !== 'id') faults.push(`${place} looks into the text of "${name}", and it is ${type}`)
    }
  }
  return steps
}

export function columnsOf (step: Step): readonly string[] {
  if ('missing' in step) return step.missing
  if ('duplicates' in step) return step.duplicates === 'all' ? [] : step.duplicates
  if ('matches' in step) return [step.matches.column]
  if ('in' in step) return [step.in.column]
  return ['atMost' in step ? step.atMost.column : step.atLeast.column]
}
