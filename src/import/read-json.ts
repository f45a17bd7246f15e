import type { Static, TSchema } from 'typebox'
import { parseJson } from '../artifact/json.ts'
import { FatalError } from '../errors.ts'

/** @throws FatalError that names each fault's place */
export function readJson<T extends TSchema> (schema: T, bytes: Uint8Array): Static<T> {
  try {
    return parseJson(schema, bytes)
  } catch (error) {
    throw new FatalError((error as Error).message)
  }
}
