import { FatalError } from '../errors.ts'

/** A value within the file, and the JSON pointer to it. */
export interface Place { readonly at: string, readonly value: unknown }

/** XGBoost writes numbers that JSON has no words for; a string stands for each here. */
const unwritable = ['NaN', 'Infinity', '-Infinity']

/**
 * Reads JSON with XGBoost's additions.
 *
 * @throws FatalError in one line
 */
export function parseFile (bytes: Uint8Array): Place {
  if (isUbjson(bytes)) throw new FatalError('this is XGBoost\'s binary form (UBJSON); save the model as text: booster.save_model("model.json")')
  const text = decode(bytes)
  try {
    return { at: '', value: JSON.parse(text) }
  } catch {
    // Only now: most files hold no such number, and the largest are a few hundred megabytes.
  }
  try {
    return { at: '', value: JSON.parse(text.replace(stringsAndUnwritable, quoted)) }
  } catch (error) {
    throw new FatalError(`this is not JSON, or its end is missing: ${oneLine((error as Error).message)}`, { cause: error })
  }
}

const stringsAndUnwritable = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g

function quoted (match: string): string {
  return match.startsWith('"') ? match : `"${match}"`
}

/** Behind the first brace comes the type of a key's length. */
function isUbjson (bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b && bytes[1] !== undefined && 'iUIlL#$'.includes(String.fromCharCode(bytes[1]))
}

function decode (bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new FatalError('this is not JSON: it holds bytes that are no UTF-8 text', { cause: error })
  }
}

export function fail ({ at }: Place, fault: string): never {
  throw new FatalError(`${at || '/'}: ${fault}`)
}

/** The place may be empty: then its value is undefined. */
export function child (place: Place, ...keys: readonly (string | number)[]): Place {
  return keys.reduce<Place>((parent, key) => {
    const { value } = parent
    const known = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    return { at: `${parent.at}/${key}`, value: known ? (value as Record<string | number, unknown>)[key] : undefined }
  }, place)
}

export function isEmpty ({ value }: Place): boolean {
  return value === undefined || value === null
}

export function object (place: Place): Place {
  const { value } = place
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return place
  return fail(place, `must be an object${found(value)}`)
}

export function text (place: Place): string {
  return typeof place.value === 'string' ? place.value : fail(place, `must be a text${found(place.value)}`)
}

/** @param length how many there must be; unset: any number of them */
export function list (place: Place, length?: number): readonly unknown[] {
  const { value } = place
  if (!Array.isArray(value)) return fail(place, `must be a list${found(value)}`)
  if (length !== undefined && value.length !== length) fail(place, `holds ${value.length} values, ${length} expected`)
  return value as unknown[]
}

export function texts (place: Place, length?: number): string[] {
  return list(place, length).map((_, i) => text(child(place, i)))
}

export function numbers (place: Place, length?: number): number[] {
  return list(place, length).map((value, i) => {
    if (typeof value === 'number') return value
    if (typeof value === 'string' && unwritable.includes(value)) return Number(value)
    return fail(child(place, i), `must be a number${found(value)}`)
  })
}

/** Newer files write some of them as true and false. */
export function integers (place: Place, length?: number): number[] {
  return list(place, length).map((value, i) => {
    const number = typeof value === 'boolean' ? Number(value) : value
    return Number.isSafeInteger(number) ? number as number : fail(child(place, i), `must be a whole number${found(value)}`)
  })
}

/** A whole number from 0, which XGBoost writes as a text. */
export function count (place: Place, least = 0): number {
  const { value } = place
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(number) && number as number >= least
    ? number as number
    : fail(place, `must be a whole number${least > 0 ? `, ${least} or more` : ''}${found(value)}`)
}

/** `fallback` where the file has none, as files of some versions do. */
export function countOr (place: Place, fallback: number): number {
  return isEmpty(place) ? fallback : count(place)
}

function found (value: unknown): string {
  if (value === undefined) return ', and is missing'
  if (Array.isArray(value)) return ', not a list'
  return typeof value === 'object' && value !== null ? ', not an object' : `, not ${shorten(JSON.stringify(value))}`
}

/** A piece of the file for a message: on one line, and not longer than a person reads. */
export function shorten (piece: string): string {
  return oneLine(piece.length > 60 ? `${piece.slice(0, 57)}…` : piece)
}

function oneLine (message: string): string {
  return message.replaceAll(/\s+/g, ' ')
}
