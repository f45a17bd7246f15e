import { ApiError } from '../errors.ts'

/** The names that Python and JavaScript write for numbers that JSON has not. A number beyond the largest double reads as Infinity. */
const standardNumbers: Readonly<Record<string, string>> = { NaN: 'null', Infinity: '1e999', '-Infinity': '-1e999' }

/**
 * Parses a body as the servers of these protocols do: NaN and Infinity, as Python writes them, are
 * numbers too. NaN becomes null, which means the same everywhere.
 *
 * @throws ApiError NOT_JSON
 */
export function parseBody (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (text.trim() === '') throw new ApiError('NOT_JSON', 'The body is empty.')
    try {
      return JSON.parse(withStandardNumbers(text))
    } catch {
      throw new ApiError('NOT_JSON', `The body is not valid JSON: ${(error as Error).message}`)
    }
  }
}

/** One pass over the text, which may be long and wrong: no pattern that could look at a place twice. */
function withStandardNumbers (text: string): string {
  const token = /["\\]|NaN|-?Infinity/g
  const parts: string[] = []
  let copied = 0
  let quoted = false
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [word] = found
    if (word === '"') quoted = !quoted
    else if (word === '\\') token.lastIndex++
    else if (!quoted) {
      parts.push(text.slice(copied, found.index), standardNumbers[word] ?? word)
      copied = token.lastIndex
    }
  }
  return parts.join('') + text.slice(copied)
}
