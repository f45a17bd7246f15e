import { ApiError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import type { Answered, ClassName } from './answered.ts'
import { rowTexts } from './nested-text.ts'
import { rowAnswers } from './vertex.ts'

/** One JSON object a line, for each row its whole answer. */
export function writeJsonLines (answered: Answered): string {
  return rowAnswers(answered).map(text => `${text}\n`).join('')
}

/**
 * One line a row, without a header: the class or the number, or the values of the only output.
 *
 * @throws ApiError NOT_ACCEPTABLE for outputs that no table can hold
 */
export function writeCsv (answered: Answered, className: ClassName): string {
  const lines = answered.kind === 'rows' ? answered.predictions.map(prediction => cell(className(prediction))) : outputLines(answered.outputs)
  return lines.map(line => `${line}\n`).join('')
}

function outputLines (outputs: Readonly<Record<string, Tensor>>): string[] {
  const [only, ...others] = Object.values(outputs)
  if (only === undefined || others.length > 0 || only.shape.length === 0 || only.shape.length > 2) {
    throw new ApiError('NOT_ACCEPTABLE', 'The outputs of this model are no table of rows; accept application/json.')
  }
  if (only.type === 'string') return rowTexts(only).map(text => ([JSON.parse(text)] as unknown[]).flat().map(cell).join(','))
  return rowTexts(only).map(text => text.replace(/[[\]]|null/g, ''))
}

/** RFC 4180. */
function cell (value: unknown): string {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
