import { ApiError } from '../../errors.ts'

/**
 * The body of a load or an unload. Whatever would change the model on its way is refused: a version is
 * what its manifest says.
 *
 * @param known parameters that ask for nothing that does not happen anyway
 * @throws ApiError BAD_ENVELOPE
 */
export function checkControl (body: unknown, known: readonly string[]): void {
  const { parameters = {} } = objectOf(body, 'The body')
  for (const name of Object.keys(objectOf(parameters, 'parameters'))) {
    if (name === 'config') {
      throw refused('The parameter "config" is refused: a model is what its manifest.json in the repository says. Change that, and load it again.')
    }
    if (name.startsWith('file:')) {
      throw refused('Files cannot be uploaded with a load: put the version into the repository, and load the model without "file:" parameters.')
    }
    if (!known.includes(name)) throw refused(`There is no parameter "${name.slice(0, 64)}"; ${known.length === 0 ? 'leave parameters out' : `there is ${known.join(', ')}`}.`)
  }
}

/**
 * The body of a request for the index.
 *
 * @returns whether only what is ready is asked for
 * @throws ApiError BAD_ENVELOPE
 */
export function readIndexRequest (body: unknown): boolean {
  const { ready = false } = objectOf(body, 'The body')
  if (typeof ready !== 'boolean') throw refused('"ready" must be true or false.')
  return ready
}

/** Clients may leave out what they would say nothing in. */
function objectOf (value: unknown, what: string): Record<string, unknown> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused(`${what} must be an object, or absent.`)
  return value as Record<string, unknown>
}

function refused (detail: string): ApiError {
  return new ApiError('BAD_ENVELOPE', detail)
}
