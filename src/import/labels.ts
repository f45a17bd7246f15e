import Type from 'typebox'
import { FatalError } from '../errors.ts'
import { readJson } from './read-json.ts'

const LabelsSchema = Type.Array(Type.Union([Type.String({ minLength: 1 }), Type.Integer()]), { minItems: 1 })

/**
 * Reads `--labels`: names with commas between, or a JSON list.
 *
 * @throws FatalError
 */
export function parseLabels (text: string): string[] {
  const isJson = text.trimStart().startsWith('[')
  const labels = isJson ? readJson(LabelsSchema, new TextEncoder().encode(text)).map(String) : text.split(',').map(label => label.trim())
  if (labels.includes('')) throw new FatalError('one of the names is empty')
  const twice = labels.find((label, i) => labels.indexOf(label) !== i)
  if (twice !== undefined) throw new FatalError(`"${twice}" stands there twice`)
  return labels
}
