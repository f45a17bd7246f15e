import type { Static, TSchema } from 'typebox'
import Value from 'typebox/value'
import { shapeFaults } from './shape-faults.ts'

/** More faults than this help nobody. */
const maxFaults = 5

/**
 * Parses bytes as JSON of one shape.
 *
 * @throws Error that names each fault's place as a JSON pointer
 */
export function parseJson<T extends TSchema> (schema: T, bytes: Uint8Array): Static<T> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new Error(`is not JSON: ${(error as Error).message}`, { cause: error })
  }
  if (Value.Check(schema, value)) return value
  throw new Error(shapeFaults(schema, value).slice(0, maxFaults).join('; '))
}
