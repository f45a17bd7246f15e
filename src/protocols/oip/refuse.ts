import { ApiError } from '../../errors.ts'

/** A tensor in the caller's request, for messages. */
export interface Place {
  /** JSON pointer into the request, such as `/inputs/0`. */
  readonly pointer: string
  /** As the caller wrote it; undefined before it is known. */
  readonly name?: string
}

/** @param message  continues the place: "must be …" */
export function refuse ({ pointer, name }: Place, message: string): ApiError {
  return new ApiError('BAD_ENVELOPE', `${pointer}${name === undefined ? '' : ` (${shown(name)})`} ${message}.`)
}

/** A caller's value in a message: what it is, and all of it where that is short. */
export function shown (value: unknown): string {
  switch (typeof value) {
    case 'undefined': return 'nothing'
    case 'object': return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object'
    case 'string': return value.length > 64 ? `${JSON.stringify(value.slice(0, 64))}…` : JSON.stringify(value)
    default: return String(value)
  }
}

/** More names than this in a message help nobody. */
const maxNames = 20

export function named (names: readonly string[]): string {
  const listed = names.slice(0, maxNames).map(shown).join(', ') || 'none'
  return names.length > maxNames ? `${listed} and ${names.length - maxNames} more` : listed
}
