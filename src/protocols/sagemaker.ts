import { ApiError } from '../errors.ts'
import { type CsvHeader, csvCells, isCsvHeader } from '../schemas/csv.ts'
import { type Asked, type Signature, checkRowCount } from './asked.ts'
import { Faults, wrongShape } from './faults.ts'
import { instanceRows } from './instances.ts'
import { parseBody } from './json-body.ts'
import { below, readTensor } from './nested-tensor.ts'
import { instanceTensors } from './tensor-inputs.ts'

/**
 * One row a line, each an object, a list or a bare value in JSON. Row i of the body stands at `/i`.
 *
 * @throws ApiError NOT_JSON naming the lines, TOO_MANY_ROWS, BAD_ENVELOPE, INVALID_INPUT
 */
export function readJsonLines (text: string, signature: Signature): Asked {
  const rows = parseLines(text, signature.maxRows)
  return signature.features === undefined ? instanceTensors(rows, '', signature.inputs) : instanceRows(rows, '', signature)
}

/** Reads no further than the first row too many: millions of short lines would hold up everybody. */
function parseLines (text: string, maxRows: number): unknown[] {
  const rows: unknown[] = []
  const faults = new Faults()
  let end = -1
  for (let line = 1; end < text.length; line++) {
    const start = end + 1
    const newline = text.indexOf('\n', start)
    end = newline === -1 ? text.length : newline
    const content = text.slice(start, end).trim()
    if (content === '') continue
    checkRowCount(rows.length + 1, maxRows, '')
    rows.push(parseLine(content, line, faults))
  }
  faults.refuse('NOT_JSON', 'Every line must be JSON.')
  checkRowCount(rows.length, maxRows, '')
  return rows
}

function parseLine (content: string, line: number, faults: Faults): unknown {
  try {
    return parseBody(content)
  } catch {
    faults.add('', `line ${line} is not valid JSON`)
    return undefined
  }
}

/**
 * A CSV of the features, or of the numbers of a model's only input.
 *
 * @param header  whether the first line is one; `detect` where only its cells can tell
 * @throws ApiError BAD_REQUEST, BAD_ENVELOPE, TOO_MANY_ROWS
 */
export function readCsv (text: string, header: CsvHeader, { features, inputs, maxRows }: Signature): Asked {
  if (features !== undefined) return { kind: 'table', input: { type: 'csv', text, header } }
  const [only] = inputs
  if (only === undefined || inputs.length > 1) throw wrongShape('', 'cannot be CSV: the model has several inputs. Send JSON with each by its name.')
  const records = csvCells(text, maxRows + 2)
  const [first = []] = records
  const hasHeader = header === 'present' || (header === 'detect' && (only.type === 'string' ? isCsvHeader(first, [only]) : first.some(cell => !isNumber(cell))))
  const rows = records.slice(hasHeader ? 1 : 0).map(cells => cells.map(cell => only.type === 'string' ? cell : numberOf(cell)))
  checkRowCount(rows.length, maxRows, '')
  return { kind: 'tensors', inputs: { [only.name]: readTensor(only.shape.length === 1 ? rows.flat() : rows, only, below('')) } }
}

function isNumber (cell: string): boolean {
  return cell.trim() === '' || /^nan$/i.test(cell.trim()) || Number.isFinite(Number(cell))
}

/** An empty cell is missing; a text that is no number stays one, so that its place is named. */
function numberOf (cell: string): unknown {
  if (!isNumber(cell)) return cell
  return cell.trim() === '' || /nan/i.test(cell) ? null : Number(cell)
}

/** `text/csv; header=absent` (RFC 4180) decides; else whoever reads the body. */
export function headerOf (contentType: string, otherwise: CsvHeader): CsvHeader {
  const [, said] = /;\s*header="?(present|absent)"?\s*(?:;|$)/i.exec(contentType) ?? []
  return said === undefined ? otherwise : said.toLowerCase() === 'present' ? 'present' : 'absent'
}

/** @throws ApiError NOT_ACCEPTABLE */
export function chooseAnswer (accept: string | undefined): AnswerFormat {
  if (accept === undefined || accept.trim() === '') return 'json'
  const ranges = accept.split(',').map(range => {
    const [type = '', ...parameters] = range.toLowerCase().split(';').map(part => part.trim())
    const quality = parameters.find(parameter => parameter.startsWith('q='))
    return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) }
  })
  const wanted = ranges.filter(({ quality, type }) => quality > 0 && Object.hasOwn(answers, type)).sort((a, b) => b.quality - a.quality)
  const [best] = wanted
  const format = best === undefined ? undefined : answers[best.type]
  if (format !== undefined) return format
  throw new ApiError('NOT_ACCEPTABLE', `This route answers application/json, application/jsonlines and text/csv; Accept allows only ${accept.slice(0, 200)}.`)
}

export type AnswerFormat = 'json' | 'jsonlines' | 'csv'

const answers: Readonly<Record<string, AnswerFormat>> = {
  'application/json': 'json',
  'application/jsonlines': 'jsonlines',
  'application/x-ndjson': 'jsonlines',
  'text/csv': 'csv',
  'application/csv': 'csv',
  'text/*': 'csv',
  'application/*': 'json',
  '*/*': 'json',
}
